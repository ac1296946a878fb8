#pragma once

#include "daybook/core/error.hpp"
#include "daybook/eventstore/engine.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "daybook/eventstore/transaction.hpp"
#include "statements.hpp"

namespace daybook::detail {

/// The store's own database inside an open unit, seen as a read model's database: its transactions
/// are savepoints of the unit.
class UnitDatabase final : public ReadModelDatabase {
public:
    /// `unit` must outlive what is done until the next call.
    void enter(Transaction& unit) noexcept { unit_ = &unit; }

    Sql& sql() override { return store_sql(*unit_); }
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
            // The whole unit is lost: the engine says so when it commits.
        }
    }
    void require_own() override {}
    void finish_build() override {}

private:
    Transaction* unit_ = nullptr;
    bool open_ = false;
};

}  // namespace daybook::detail
