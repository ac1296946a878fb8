#pragma once

#include <chrono>
#include <string_view>

#include "supplier/supplier_messages.hpp"

namespace shop {

/// Delivers whatever is bought, some days later. Another company: it keeps no events in our store.
class Supplier {
public:
    static constexpr std::string_view topic = "supplier";
    static constexpr std::chrono::days lead_time{5};
    /// When its lorry comes.
    static constexpr std::chrono::hours time_of_day{6};

    void listen(daybook::LocalTransport& transport);
};

}  // namespace shop
