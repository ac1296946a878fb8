#pragma once

#include <string>

#include <daybook/eventstore/event_view.hpp>

namespace shop {

/// What an event of the shop says, for people; of an event that is not the shop's, its type.
std::string text_of(const daybook::EventView& event);

}  // namespace shop
