#include "applier.hpp"

#include <algorithm>

#include "daybook/eventstore/guarded_sql.hpp"

namespace daybook::detail {

namespace {

FailedEvent parked_behind_another(const EventRow& row) {
    return {row.position, std::string(row.stream), row.type->name,
            "waits for an earlier event of its stream"};
}

}  // namespace

int Dispatch::resolve(const TypeEntry& type) {
    if (type.number >= slots_.size()) slots_.resize(std::size_t{type.number} + 1);
    Slot& slot = slots_[type.number];
    slot = {&type, none};
    for (std::size_t i = 0; i < events_.size(); ++i) {
        if (events_[i] == type.name) slot.handler = static_cast<int>(i);
    }
    return slot.handler;
}

Applier::Applier(const ProjectionDefinition& definition, FoldLimits limits)
    : shape_(definition.shape()), fold_(definition.fold(limits)), dispatch_(shape_.events) {}

std::optional<FailedEvent> Applier::apply(const EventPage& page, Position upto,
                                          Checkpoint& checkpoint, Sql& model, Timestamp now) {
    const Position end = std::min(upto, page.scanned_to);
    HandlerSql handler_sql{model};
    CheckpointTables tables{handler_sql, shape_.name};
    GuardedSql guarded{handler_sql};
    std::uint64_t applied = 0;
    std::uint64_t parked = 0;
    // Upcasters may turn one stored event into several. They count as one, as positions do.
    Position counted = checkpoint.position;
    const EventRow* row = nullptr;
    const auto apply_all = [&] {
        for (const EventRow& next : page.rows) {
            if (next.position <= checkpoint.position) continue;
            if (next.position > end) break;
            row = &next;
            const int handler = dispatch_.handler(*next.type);
            if (handler == Dispatch::none) continue;
            const bool first = next.position != counted;
            counted = next.position;
            if (checkpoint.parked + parked > 0 && tables.is_parked(next.stream)) {
                if (!first) continue;
                tables.set_aside(parked_behind_another(next), true, now);
                ++parked;
            } else {
                fold_->apply(static_cast<std::size_t>(handler), EventView{next}, guarded);
                handler_sql.await_results();
                applied += first ? 1 : 0;
            }
        }
    };
    if (auto error = error_of(handler_sql, apply_all)) {
        if (row == nullptr) throw CorruptError("projection '" + shape_.name + "': " + *error);
        return FailedEvent{row->position, std::string(row->stream), row->type->name,
                           std::move(*error)};
    }
    const std::uint64_t span = end.value() - checkpoint.position.value();
    if (applied + parked > span) {
        throw CorruptError("projection '" + shape_.name +
                           "': the log gave more events than it has " + "positions up to " +
                           std::to_string(end.value()));
    }
    checkpoint.position = end;
    checkpoint.applied += applied;
    checkpoint.parked += parked;
    checkpoint.filtered += span - applied - parked;
    return std::nullopt;
}

std::optional<std::string> Applier::replay(const EventPage& page, Sql& model) {
    HandlerSql handler_sql{model};
    GuardedSql guarded{handler_sql};
    return error_of(handler_sql, [&] {
        for (const EventRow& row : page.rows) {
            const int handler = dispatch_.handler(*row.type);
            if (handler == Dispatch::none) continue;
            fold_->apply(static_cast<std::size_t>(handler), EventView{row}, guarded);
        }
        fold_->flush(guarded);
        handler_sql.await_results();
    });
}

std::optional<std::string> Applier::flush(Sql& model) {
    HandlerSql handler_sql{model};
    GuardedSql guarded{handler_sql};
    return error_of(handler_sql, [&] {
        fold_->flush(guarded);
        handler_sql.await_results();
    });
}

}  // namespace daybook::detail
