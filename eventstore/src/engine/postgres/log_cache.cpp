#include "engine/postgres/known_log.hpp"

namespace daybook::postgres {

Foresight KnownLog::foresee(AppendRequests requests) {
    Foresight foresight;
    ++look_;
    Position head = head_;
    for (const AppendRequest* request : requests) {
        if (!continued_ || !foresee(*request, foresight, head)) foresight.rest.push_back(request);
    }
    return foresight;
}

KnownEvent KnownLog::foresee_event(const AppendRequest& request) const {
    if (!continued_) return {};
    KnownEvent known{.log = log_,
                     .type = number_of(request.events.front().type),
                     .category = number_of_category(request.stream.category()),
                     .stream = std::nullopt};
    const auto found = streams_.find(std::string_view{request.stream.str()});
    if (found == streams_.end() || found->second.era != era_) return known;
    const Stream& stream = found->second;
    if (known.type && known.category && request.expected.admits(stream.version)) {
        known.stream = {stream.numbers.stream, stream.version};
    }
    return known;
}

bool KnownLog::foresee(const AppendRequest& request, Foresight& foresight, Position& head) {
    const auto found = streams_.find(std::string_view{request.stream.str()});
    if (found == streams_.end() || found->second.era != era_) return false;
    Stream& stream = found->second;
    if (stream.look != look_) {
        stream.look = look_;
        stream.foreseen = stream.version;
        stream.left_out = false;
    }
    stream.left_out = stream.left_out || !request.expected.admits(stream.foreseen) ||
                      !add_types(request, foresight.types);
    if (stream.left_out) return false;
    head = head.value() + request.events.size();
    stream.foreseen = stream.foreseen.value() + request.events.size();
    foresight.foreseen.push_back(&request);
    foresight.streams.push_back(stream.numbers);
    foresight.results.push_back({head, stream.foreseen, false});
    return true;
}

bool KnownLog::add_types(const AppendRequest& request, std::vector<std::int64_t>& types) const {
    const std::size_t before = types.size();
    for (const NewEvent& event : request.events) {
        const auto number = number_of(event.type);
        if (!number) {
            types.resize(before);
            return false;
        }
        types.push_back(*number);
    }
    return true;
}

void KnownLog::learn_continued(bool continued) noexcept {
    continued_ = continued;
    if (!continued) ++era_;
}

void KnownLog::learn_log(std::int64_t log) {
    if (log == log_) return;
    log_ = log;
    streams_.clear();
    categories_.clear();
    types_.clear();
}

void KnownLog::learn(const Foresight& foresight) {
    for (std::size_t i = 0; i < foresight.foreseen.size(); ++i) {
        learn(*foresight.foreseen[i], foresight.streams[i], foresight.results[i]);
    }
}

void KnownLog::learn(const EventType& type, std::int64_t number) {
    if (types_.size() >= types_max) types_.clear();
    auto found = types_.find(type.name);
    if (found == types_.end()) found = types_.emplace(std::string{type.name}, 0).first;
    for (Type& known : found->second) {
        if (known.version != type.version) continue;
        known.number = {number, era_};
        return;
    }
    found->second.push_back({type.version, {number, era_}});
}

void KnownLog::learn(const AppendRequest& request, const StreamNumbers& numbers,
                     const AppendResult& result) {
    if (streams_.size() >= streams_max) streams_.clear();
    Stream& stream = streams_[request.stream.str()];
    stream.numbers = numbers;
    stream.version = result.version;
    stream.era = era_;
    if (categories_.size() >= categories_max) categories_.clear();
    const std::string_view category = request.stream.category();
    auto known = categories_.find(category);
    if (known == categories_.end()) known = categories_.emplace(category, Number{}).first;
    known->second = {numbers.category, era_};
    head_ = result.position;
    last_ = request.events.back().id;
}

std::optional<std::int64_t> KnownLog::number_of(const EventType& type) const {
    const auto found = types_.find(type.name);
    if (found == types_.end()) return std::nullopt;
    for (const Type& known : found->second) {
        if (known.version == type.version && known.number.era == era_) return known.number.value;
    }
    return std::nullopt;
}

std::optional<std::int64_t> KnownLog::number_of_category(std::string_view category) const {
    const auto found = categories_.find(category);
    if (found == categories_.end() || found->second.era != era_) return std::nullopt;
    return found->second.value;
}

}  // namespace daybook::postgres
