#include "transfer/mirror_checkpoint.hpp"

#include <set>

#include "daybook/core/error.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "transfer/statements.hpp"

namespace daybook::detail {

void MirrorCheckpoint::claim(const LogPoint& start) {
    std::optional<Row> row;
    target_.transact([&](Transaction& tx) {
        Sql& db = store_sql(tx);
        db.exec(sql::mirror_create, name_, start.position, SqlValue::id_or_null(start.event),
                start.store, tx.now());
        db.exec(sql::mirror_claim, epoch_, epoch_, name_);
        row = find(db);
    });
    epoch_ = row.value().epoch;
    take(*row);
}

bool MirrorCheckpoint::load() {
    std::optional<Row> row;
    query_store(target_, [&](Sql& db) { row = find(db); });
    if (!row || row->epoch < epoch_) return false;
    if (row->epoch > epoch_) fail_fenced();
    take(*row);
    return true;
}

std::optional<MirrorCheckpoint::Row> MirrorCheckpoint::find(Sql& db) const {
    std::optional<Row> found;
    db.each(
        sql::mirror_find,
        [&](const SqlRow& row) {
            found = Row{point_of(row, 0), static_cast<std::uint64_t>(row.integer(3)),
                        static_cast<std::uint64_t>(row.integer(4)), row.integer(5)};
        },
        name_);
    return found;
}

void MirrorCheckpoint::take(const Row& row) {
    dropped_by_stream_.clear();
    point_ = row.point;
    stored_ = row.stored;
    dropped_ = row.dropped;
}

void MirrorCheckpoint::store(std::vector<TransferEvent>& events) {
    const LogPoint last{events.back().position, events.back().event.id, source_};
    std::uint64_t stored = stored_;
    std::uint64_t dropped = dropped_;
    target_.transact([&](Transaction& tx) {
        batch_.clear();
        std::set<std::string> changed;
        for (TransferEvent& event : events) {
            const bool shifts = dropped > 0 || event.dropped;
            std::uint64_t* missing =
                shifts ? &dropped_of(store_sql(tx), event.stream.str()) : nullptr;
            if (event.dropped) {
                ++*missing;
                ++dropped;
                changed.insert(event.stream.str());
                continue;
            }
            const Version version{event.version.value() - (missing ? *missing : 0)};
            batch_.add(event.stream, version, event.recorded_at, std::move(event.event));
        }
        stored += append_whole_log(tx, batch_);
        for (const std::string& stream : changed) {
            store_sql(tx).exec(sql::mirror_dropped_put, name_, stream,
                               dropped_by_stream_.at(stream));
        }
        const std::int64_t advanced =
            store_sql(tx).exec(sql::mirror_advance, last.position, last.event, last.store, stored,
                               dropped, tx.now(), name_, epoch_, point_.position);
        if (advanced == 0) fail_overtaken(store_sql(tx));
    });
    point_ = last;
    stored_ = stored;
    dropped_ = dropped;
    if (dropped_by_stream_.size() > streams_kept_max) dropped_by_stream_.clear();
}

std::uint64_t& MirrorCheckpoint::dropped_of(Sql& sql, const std::string& stream) {
    const auto found = dropped_by_stream_.find(stream);
    if (found != dropped_by_stream_.end()) return found->second;
    const auto events = sql.integer(sql::mirror_dropped_of, name_, stream).value_or(0);
    return dropped_by_stream_.emplace(stream, static_cast<std::uint64_t>(events)).first->second;
}

void MirrorCheckpoint::fail_overtaken(Sql& db) const {
    const auto row = find(db);
    if (row && row->epoch > epoch_) fail_fenced();
    throw UnavailableError("mirror '" + name_ + "': the target '" + target_.uri() +
                           "' is not as it was left: it was put back from a backup, or made " +
                           "again: run it again, and it goes on where the target is");
}

void MirrorCheckpoint::fail_fenced() const {
    throw ErrorOf<ErrorKind::conflict>("mirror '" + name_ + "' was started again elsewhere on '" +
                                       target_.uri() +
                                       "': run it once, or give each mirror a name of its own");
}

}  // namespace daybook::detail
