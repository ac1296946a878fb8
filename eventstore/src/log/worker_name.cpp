#include "daybook/eventstore/worker_name.hpp"

#include <array>

#include <unistd.h>

#include "daybook/core/clean_text.hpp"
#include "daybook/core/event_id.hpp"

namespace daybook::detail {

namespace {

std::string host_name() {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0) return "unknown";
    return clean_text(name.data());
}

}  // namespace

std::string worker_name() {
    // The last twelve digits of an id are random; those before hold its time.
    return host_name() + '/' + std::to_string(::getpid()) + '/' +
           EventId::generate().to_string().substr(24);
}

}  // namespace daybook::detail
