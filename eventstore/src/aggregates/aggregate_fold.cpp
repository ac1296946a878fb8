#include "aggregates/aggregate_fold.hpp"

#include <algorithm>

#include "daybook/core/error.hpp"

namespace daybook::detail {

namespace {

std::string quoted(std::string_view name) { return "'" + std::string(name) + "'"; }

std::string described(std::string_view name, int version) {
    return quoted(name) + " version " + std::to_string(version);
}

std::string location(std::string_view stream, Version version) {
    return "stream " + quoted(stream) + ", event " + std::to_string(version.value());
}

}  // namespace

const FoldStep& step_for(const FoldType& type, std::string_view event, int schema_version,
                         std::string_view stream, Version version) {
    const FoldStep* other_version = nullptr;
    for (const FoldStep& step : type.steps) {
        if (step.type.name != event) continue;
        if (step.type.version == schema_version) return step;
        other_version = &step;
    }
    const std::string found = location(stream, version) + " is " + described(event, schema_version);
    const std::string subject{type.name};
    if (other_version == nullptr) {
        throw InvalidError(found + ", which " + subject +
                           " does not list: add it to its events and say what it does to the "
                           "state, or have an upcaster drop it");
    }
    throw InvalidError(found + ", and " + subject + " knows version " +
                       std::to_string(other_version->type.version) +
                       ": open the store with a catalog that upcasts the one to the other");
}

void apply_new(const FoldType& type, void* state, const StreamName& stream, Version version,
               std::span<const NewEvent> events) {
    for (const NewEvent& event : events) {
        version = version.next();
        step_for(type, event.type.name, event.type.version, stream.str(), version)
            .apply(state, event.data);
    }
}

void Folder::apply(const EventRow& row) {
    const FoldStep& step = this->step(row);
    try {
        step.apply(state_, row.data);
    } catch (const CorruptError& error) {
        throw CorruptError(location(row.stream, row.version) + " cannot be read: " + error.what());
    }
}

const FoldStep& Folder::step(const EventRow& row) {
    for (const CachedStep& cached : cached_steps_) {
        if (cached.type == row.type) return *cached.step;
    }
    const FoldStep& found =
        step_for(type_, row.type->name, row.type->version, row.stream, row.version);
    cached_steps_.push_back({row.type, &found});
    return found;
}

}  // namespace daybook::detail
