#include <array>

#include "cases.hpp"

namespace bench {

std::shared_ptr<AppendStores> Bench::append_stores() {
    if (!append_stores_) append_stores_ = std::make_shared<AppendStores>(scratch, quick);
    return append_stores_;
}

std::shared_ptr<LogStores> Bench::log_stores() {
    if (!log_stores_) log_stores_ = std::make_shared<LogStores>(scratch, quick);
    return log_stores_;
}

const PostgresServer& Bench::postgres() {
    if (!postgres_) postgres_ = std::make_unique<PostgresServer>(postgres_uri_);
    return *postgres_;
}

std::shared_ptr<PostgresAppendStores> Bench::postgres_append_stores() {
    if (!postgres_append_stores_)
        postgres_append_stores_ = std::make_shared<PostgresAppendStores>(postgres(), quick);
    return postgres_append_stores_;
}

std::shared_ptr<PostgresLogStores> Bench::postgres_log_stores() {
    if (!postgres_log_stores_)
        postgres_log_stores_ = std::make_shared<PostgresLogStores>(postgres(), quick);
    return postgres_log_stores_;
}

std::span<const CaseEntry> all_cases() {
    static constexpr std::array cases{CaseEntry{"S1", append_one},
                                      CaseEntry{"S3", append_ten},
                                      CaseEntry{"S1f", append_one_fresh},
                                      CaseEntry{"S3f", append_ten_fresh},
                                      CaseEntry{"S4", append_hundred},
                                      CaseEntry{"S7", blocking_callers},
                                      CaseEntry{"S8", load_aggregate},
                                      CaseEntry{"S10", read_log},
                                      CaseEntry{"S11", rebuild_counter},
                                      CaseEntry{"S12", rebuild_by_sql},
                                      CaseEntry{"P1", postgres_append_one},
                                      CaseEntry{"P1n", postgres_new_streams},
                                      CaseEntry{"P2", postgres_append_many},
                                      CaseEntry{"P3", postgres_callers},
                                      CaseEntry{"P4", postgres_load_aggregate},
                                      CaseEntry{"P5", postgres_read_log},
                                      CaseEntry{"P6", postgres_rebuild},
                                      CaseEntry{"P8", postgres_relay}};
    return cases;
}

}  // namespace bench
