#pragma once

#include <optional>
#include <string>
#include <vector>

#include <daybook/daybook.hpp>

namespace shop {

/// One thing that happened.
struct StoryLine {
    daybook::Position position;
    daybook::Timestamp at{};
    std::string stream;
    std::string type;
    std::string text;
    /// The message whose handling it was; nothing if no message led to it.
    std::optional<daybook::EventId> message{};
    std::string receiver{};  ///< of that message
};

/// What is still to come.
struct WaitingLine {
    std::string text;
    std::optional<daybook::Timestamp> until{};
};

struct Story {
    std::vector<StoryLine> lines;
    std::vector<WaitingLine> waiting;
};

/// All that followed from an order: its own events, those of its stock, payment and shipment, the
/// steps of its sagas, in the order in which they happened. What belongs together carries the
/// correlation id of the order's first event. Throws NotFoundError.
Story story_of(const daybook::EventStore& store, const std::string& order);

}  // namespace shop
