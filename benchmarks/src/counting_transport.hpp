#pragma once

#include <atomic>
#include <cstddef>

#include <daybook/messaging/transport.hpp>

namespace bench {

/// Counts the messages and accepts all of them.
class CountingTransport : public daybook::Transport {
public:
    daybook::Delivery deliver(const daybook::Message&) override {
        delivered.fetch_add(1, std::memory_order_relaxed);
        return {};
    }
    std::atomic<std::size_t> delivered = 0;
};

}  // namespace bench
