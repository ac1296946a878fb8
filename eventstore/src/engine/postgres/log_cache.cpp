#include "engine/postgres/log_cache.hpp"

namespace daybook::postgres {

Prediction LogCache::predict(AppendRequests requests) {
    Prediction prediction;
    ++predictions_made_;
    Position head = head_;
    for (const AppendRequest* request : requests) {
        if (!continued_ || !predict(*request, prediction, head)) prediction.rest.push_back(request);
    }
    return prediction;
}

EventHints LogCache::hints_for(const AppendRequest& request) const {
    if (!continued_) return {};
    EventHints hints{.log_table = log_table_,
                     .type = type_id(request.events.front().type),
                     .category = category_id(request.stream.category()),
                     .stream = std::nullopt};
    const auto found = streams_.find(std::string_view{request.stream.str()});
    if (found == streams_.end() || found->second.generation != generation_) return hints;
    const Stream& stream = found->second;
    if (hints.type && hints.category && request.expected.admits(stream.version)) {
        hints.stream = {stream.ids.stream, stream.version};
    }
    return hints;
}

bool LogCache::predict(const AppendRequest& request, Prediction& prediction, Position& head) {
    const auto found = streams_.find(std::string_view{request.stream.str()});
    if (found == streams_.end() || found->second.generation != generation_) return false;
    Stream& stream = found->second;
    if (stream.prediction != predictions_made_) {
        stream.prediction = predictions_made_;
        stream.predicted = stream.version;
        stream.unpredictable = false;
    }
    stream.unpredictable = stream.unpredictable || !request.expected.admits(stream.predicted) ||
                           !add_types(request, prediction.types);
    if (stream.unpredictable) return false;
    head = head.value() + request.events.size();
    stream.predicted = stream.predicted.value() + request.events.size();
    prediction.predicted.push_back(&request);
    prediction.streams.push_back(stream.ids);
    prediction.results.push_back({head, stream.predicted, false});
    return true;
}

bool LogCache::add_types(const AppendRequest& request, std::vector<std::int64_t>& types) const {
    const std::size_t before = types.size();
    for (const NewEvent& event : request.events) {
        const auto id = type_id(event.type);
        if (!id) {
            types.resize(before);
            return false;
        }
        types.push_back(*id);
    }
    return true;
}

void LogCache::record_continued(bool continued) noexcept {
    continued_ = continued;
    if (!continued) ++generation_;
}

void LogCache::record_log_table(std::int64_t log_table) {
    if (log_table == log_table_) return;
    log_table_ = log_table;
    streams_.clear();
    categories_.clear();
    types_.clear();
}

void LogCache::record(const Prediction& prediction) {
    for (std::size_t i = 0; i < prediction.predicted.size(); ++i) {
        record_append(*prediction.predicted[i], prediction.streams[i], prediction.results[i]);
    }
}

void LogCache::record_type(const EventType& type, std::int64_t id) {
    if (types_.size() >= types_max) types_.clear();
    auto found = types_.find(type.name);
    if (found == types_.end()) found = types_.emplace(std::string{type.name}, 0).first;
    for (Type& cached : found->second) {
        if (cached.version != type.version) continue;
        cached.id = {id, generation_};
        return;
    }
    found->second.push_back({type.version, {id, generation_}});
}

void LogCache::record_append(const AppendRequest& request, const StreamIds& ids,
                             const AppendResult& result) {
    if (streams_.size() >= streams_max) streams_.clear();
    Stream& stream = streams_[request.stream.str()];
    stream.ids = ids;
    stream.version = result.version;
    stream.generation = generation_;
    if (categories_.size() >= categories_max) categories_.clear();
    const std::string_view category = request.stream.category();
    auto found = categories_.find(category);
    if (found == categories_.end()) found = categories_.emplace(category, CachedId{}).first;
    found->second = {ids.category, generation_};
    head_ = result.position;
    last_event_ = request.events.back().id;
}

std::optional<std::int64_t> LogCache::type_id(const EventType& type) const {
    const auto found = types_.find(type.name);
    if (found == types_.end()) return std::nullopt;
    for (const Type& cached : found->second) {
        if (cached.version == type.version && cached.id.generation == generation_)
            return cached.id.value;
    }
    return std::nullopt;
}

std::optional<std::int64_t> LogCache::category_id(std::string_view category) const {
    const auto found = categories_.find(category);
    if (found == categories_.end() || found->second.generation != generation_) return std::nullopt;
    return found->second.value;
}

}  // namespace daybook::postgres
