#include "applier.hpp"

#include <algorithm>

#include "daybook/eventstore/guarded_sql.hpp"

namespace daybook::detail {

namespace {

FailedEvent set_aside_behind(const EventRow& row) {
    return {row.position, std::string(row.stream), row.type->name,
            "waits for an earlier event of its stream"};
}

}  // namespace

Applier::Applier(const ProjectionDefinition& definition, FoldLimits limits)
    : shape_(definition.shape()), fold_(definition.fold(limits)), dispatch_(shape_.events) {}

std::optional<FailedEvent> Applier::apply(const EventPage& page, Position upto, Checkpoint& book,
                                          Sql& model, Timestamp now) {
    const Position end = std::min(upto, page.scanned_to);
    HandlerSql watched{model};
    Ledger ledger{watched, shape_.name};
    GuardedSql handlers_sql{watched};
    std::uint64_t applied = 0;
    std::uint64_t parked = 0;
    // An upcaster can make several events of one; together they count as that one position.
    Position counted = book.position;
    const EventRow* row = nullptr;
    const auto apply_all = [&] {
        for (const EventRow& next : page.rows) {
            if (next.position <= book.position) continue;
            if (next.position > end) break;
            row = &next;
            const int handler = dispatch_.handler(*next.type);
            if (handler == Dispatch::none) continue;
            const bool first = next.position != counted;
            counted = next.position;
            if (book.parked + parked > 0 && ledger.is_parked(next.stream)) {
                if (!first) continue;
                ledger.set_aside(set_aside_behind(next), true, now);
                ++parked;
            } else {
                fold_->apply(static_cast<std::size_t>(handler), EventView{next}, handlers_sql);
                watched.settle();
                applied += first ? 1 : 0;
            }
        }
    };
    if (auto error = error_of(watched, apply_all)) {
        if (row == nullptr) throw CorruptError("projection '" + shape_.name + "': " + *error);
        return FailedEvent{row->position, std::string(row->stream), row->type->name,
                           std::move(*error)};
    }
    const std::uint64_t span = end.value() - book.position.value();
    if (applied + parked > span) {
        throw CorruptError("projection '" + shape_.name +
                           "': the log gave more events than it has " + "positions up to " +
                           std::to_string(end.value()));
    }
    book.position = end;
    book.applied += applied;
    book.parked += parked;
    book.filtered += span - applied - parked;
    return std::nullopt;
}

std::optional<std::string> Applier::apply_again(const EventPage& page, Sql& model) {
    HandlerSql watched{model};
    GuardedSql handlers_sql{watched};
    return error_of(watched, [&] {
        for (const EventRow& row : page.rows) {
            const int handler = dispatch_.handler(*row.type);
            if (handler == Dispatch::none) continue;
            fold_->apply(static_cast<std::size_t>(handler), EventView{row}, handlers_sql);
        }
        fold_->flush(handlers_sql);
        watched.settle();
    });
}

std::optional<std::string> Applier::flush(Sql& model) {
    HandlerSql watched{model};
    GuardedSql handlers_sql{watched};
    return error_of(watched, [&] {
        fold_->flush(handlers_sql);
        watched.settle();
    });
}

}  // namespace daybook::detail
