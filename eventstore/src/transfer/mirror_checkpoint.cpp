#include "transfer/mirror_checkpoint.hpp"

#include <algorithm>
#include <set>

#include "daybook/core/error.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "daybook/eventstore/worker_name.hpp"
#include "transfer/statements.hpp"

namespace daybook::detail {

namespace {

/// How long the lease of a mirror that has ended counts as held. Nobody waits for that: a mirror
/// that starts takes the lease.
constexpr std::chrono::seconds lease_duration{5};

}  // namespace

MirrorCheckpoint::MirrorCheckpoint(EventStore target, std::string name)
    : target_(std::move(target)), name_(std::move(name)), leases_(target_), owner_(worker_name()) {}

void MirrorCheckpoint::claim(const LogPoint& start) {
    const std::vector<std::string> names{"mirror:" + name_};
    std::optional<Lease> lease;
    std::optional<Row> row;
    target_.transact([&](Transaction& tx) {
        leases_.release(tx, leases_.find(tx, names));
        lease = leases_.try_acquire(tx, names.front(), owner_, lease_duration);
        Sql& db = store_sql(tx);
        db.exec(sql::mirror_create, name_, start.position, SqlValue::id_or_null(start.event),
                start.store, tx.now());
        row = find(db);
    });
    lease_ = lease.value();
    take(row.value());
}

bool MirrorCheckpoint::load() {
    const std::vector<Lease> leases = leases_.list();
    const auto found = std::ranges::find(leases, lease_->name, &Lease::name);
    const auto now = found == leases.end() ? std::nullopt : std::optional{*found};
    if (is_fenced(now)) fail_fenced();
    if (!now || now->token < lease_->token) return false;
    std::optional<Row> row;
    query_store(target_, [&](Sql& db) { row = find(db); });
    if (!row) return false;
    take(*row);
    return true;
}

bool MirrorCheckpoint::is_fenced(const std::optional<Lease>& now) const {
    if (!now || now->token < lease_->token) return false;
    return now->token > lease_->token || now->owner != owner_;
}

std::optional<MirrorCheckpoint::Row> MirrorCheckpoint::find(Sql& db) const {
    std::optional<Row> found;
    db.each(
        sql::mirror_find,
        [&](const SqlRow& row) {
            found = Row{point_of(row, 0), static_cast<std::uint64_t>(row.integer(3)),
                        static_cast<std::uint64_t>(row.integer(4))};
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
        Lease lease = *lease_;
        if (!leases_.renew(tx, lease, lease_duration)) fail_overtaken(tx);
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
                               dropped, tx.now(), name_, point_.position);
        if (advanced == 0) fail_overtaken(tx);
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

void MirrorCheckpoint::fail_overtaken(Transaction& tx) const {
    const std::vector<std::string> names{lease_->name};
    const std::vector<Lease> leases = leases_.find(tx, names);
    if (is_fenced(leases.empty() ? std::nullopt : std::optional{leases.front()})) fail_fenced();
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
