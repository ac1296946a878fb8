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

std::span<const CaseEntry> all_cases() {
    static constexpr std::array cases{
        CaseEntry{"S1", append_one},       CaseEntry{"S3", append_ten},
        CaseEntry{"S4", append_hundred},   CaseEntry{"S7", blocking_callers},
        CaseEntry{"S8", load_aggregate},   CaseEntry{"S10", read_log},
        CaseEntry{"S11", rebuild_counter}, CaseEntry{"S12", rebuild_by_sql}};
    return cases;
}

}  // namespace bench
