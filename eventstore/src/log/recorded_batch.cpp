#include "daybook/eventstore/recorded_batch.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "daybook/core/error.hpp"
#include "daybook/eventstore/engine.hpp"
#include "values/event_copy.hpp"

namespace daybook {

void RecordedBatch::add(const StreamName& stream, Version version, Timestamp recorded_at,
                        NewEvent event) {
    if (version == Version{0} || event.id.is_nil()) {
        throw InvalidError("stream '" + stream.str() + "', event " + event.id.to_string() +
                           ": a recorded event has an id, and a version from 1");
    }
    auto name = type_names_.find(event.type.name);
    if (name == type_names_.end()) name = type_names_.emplace(event.type.name).first;
    event.type.name = *name;

    const bool continues_run = !runs_.empty() && runs_.back().stream == stream &&
                               runs_.back().recorded_at == recorded_at &&
                               runs_.back().first.value() + runs_.back().size == version.value();
    if (!continues_run) runs_.push_back({stream, version, recorded_at, events_.size(), 0});
    ++runs_.back().size;
    events_.push_back(std::move(event));
}

void RecordedBatch::add(EventView event) {
    add(event.stream(), event.version(), event.recorded_at(), detail::copy_of(event));
}

const StreamName* RecordedBatch::reserved_stream() const noexcept {
    const auto reserved =
        std::ranges::find_if(runs_, [](const Run& run) { return run.stream.is_reserved(); });
    return reserved == runs_.end() ? nullptr : &reserved->stream;
}

void RecordedBatch::clear() noexcept {
    events_.clear();
    runs_.clear();
}

std::vector<AppendRequest> RecordedBatch::requests(Cut cut) const {
    const std::span<const NewEvent> all{events_};
    std::vector<AppendRequest> requests;
    requests.reserve(cut == Cut::runs ? runs_.size() : events_.size());
    for (const Run& run : runs_) {
        const std::size_t step = cut == Cut::runs ? run.size : 1;
        for (std::size_t done = 0; done < run.size; done += step) {
            const Version before{run.first.value() + done - 1};
            requests.push_back({run.stream,
                                at_version(before),
                                all.subspan(run.begin + done, step),
                                run.recorded_at,
                                {}});
        }
    }
    return requests;
}

}  // namespace daybook
