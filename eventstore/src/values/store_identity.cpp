#include "daybook/eventstore/store_identity.hpp"

#include "daybook/core/error.hpp"

namespace daybook::detail {

EventId store_identity(Sql& store) {
    EventId identity;
    store.each("SELECT id FROM daybook_store", [&](const SqlRow& row) { identity = row.id(0); });
    if (identity.is_nil()) {
        throw CorruptError("the table daybook_store is empty: restore the store from a backup");
    }
    return identity;
}

}  // namespace daybook::detail
