#include "transfer/mirror_ledger.hpp"

#include <set>

#include "daybook/core/error.hpp"
#include "transfer/statements.hpp"

namespace daybook::detail {

void MirrorLedger::claim(const SourcePlace& begin) {
    std::int64_t epoch = 0;
    target_.transact([&](Transaction& tx) {
        Sql& db = tx.sql();
        db.exec(sql::mirror_create, name_, begin.position, SqlValue::id_or_null(begin.event),
                tx.now());
        db.exec(sql::mirror_claim, name_);
        db.each(sql::mirror_find, [&](const SqlRow& row) { epoch = row.integer(4); }, name_);
    });
    epoch_ = epoch;
    load();
}

void MirrorLedger::load() {
    dropped_by_stream_.clear();
    bool mine = false;
    target_.query([&](Sql& db) {
        db.each(
            sql::mirror_find,
            [&](const SqlRow& row) {
                place_ = place_of(row, 0, 1);
                stored_ = static_cast<std::uint64_t>(row.integer(2));
                dropped_ = static_cast<std::uint64_t>(row.integer(3));
                mine = row.integer(4) == epoch_;
            },
            name_);
    });
    if (!mine) fail_fenced();
}

void MirrorLedger::store(std::vector<TransferEvent>& events) {
    const SourcePlace last{events.back().position, events.back().event.id};
    std::uint64_t stored = stored_;
    std::uint64_t dropped = dropped_;
    target_.transact([&](Transaction& tx) {
        batch_.clear();
        std::set<std::string> changed;
        for (TransferEvent& event : events) {
            const bool shifts = dropped > 0 || event.dropped;
            std::uint64_t* missing = shifts ? &dropped_of(tx.sql(), event.stream.str()) : nullptr;
            if (event.dropped) {
                ++*missing;
                ++dropped;
                changed.insert(event.stream.str());
                continue;
            }
            const Version version{event.version.value() - (missing ? *missing : 0)};
            batch_.add(event.stream, version, event.recorded_at, std::move(event.event));
        }
        stored += tx.append_recorded(batch_);
        for (const std::string& stream : changed) {
            tx.sql().exec(sql::mirror_dropped_put, name_, stream, dropped_by_stream_.at(stream));
        }
        const std::int64_t advanced =
            tx.sql().exec(sql::mirror_advance, last.position, last.event, stored, dropped, tx.now(),
                          name_, epoch_, place_.position);
        if (advanced == 0) fail_fenced();
    });
    place_ = last;
    stored_ = stored;
    dropped_ = dropped;
    if (dropped_by_stream_.size() > streams_kept_max) dropped_by_stream_.clear();
}

std::uint64_t& MirrorLedger::dropped_of(Sql& sql, const std::string& stream) {
    const auto found = dropped_by_stream_.find(stream);
    if (found != dropped_by_stream_.end()) return found->second;
    const auto events = sql.integer(sql::mirror_dropped_of, name_, stream).value_or(0);
    return dropped_by_stream_.emplace(stream, static_cast<std::uint64_t>(events)).first->second;
}

void MirrorLedger::fail_fenced() const {
    throw ErrorOf<ErrorKind::conflict>("mirror '" + name_ + "' was started again elsewhere on '" +
                                       target_.uri() +
                                       "': run it once, or give each mirror a name of its own");
}

}  // namespace daybook::detail
