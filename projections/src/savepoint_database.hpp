#pragma once

#include "daybook/core/error.hpp"
#include "daybook/eventstore/engine.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "daybook/eventstore/transaction.hpp"
#include "statements.hpp"

namespace daybook::detail {

/// The store's own database inside an open transaction, as the database of an inline model. Its
/// transactions are savepoints of the open one: a failing handler rolls back the rows of the model
/// and not the events of the append.
class SavepointDatabase final : public ReadModelDatabase {
public:
    /// Works on `tx` from now on. `tx` must outlive every call up to the next `use`.
    void use(Transaction& tx) noexcept { tx_ = &tx; }

    Sql& sql() override { return store_sql(*tx_); }
    void begin() override {
        sql().exec(statements::savepoint);
        open_ = true;
    }
    void commit() override {
        sql().exec(statements::release_savepoint);
        open_ = false;
    }
    void rollback() noexcept override {
        if (!open_) return;
        open_ = false;
        try {
            sql().exec(statements::rollback_to_savepoint);
            sql().exec(statements::release_savepoint);
        } catch (const Error&) {
            // The transaction is lost as a whole: the engine reports that when it commits.
        }
    }
    void require_own() override {}
    void finish_build() override {}

private:
    Transaction* tx_ = nullptr;
    bool open_ = false;
};

}  // namespace daybook::detail
