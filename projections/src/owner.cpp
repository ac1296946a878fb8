#include "owner.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <functional>
#include <set>

#include <signal.h>
#include <unistd.h>

#include "daybook/core/event_id.hpp"
#include "daybook/core/mutex.hpp"

namespace daybook::detail {

namespace {

std::string host_name() {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0) return "unknown";
    return name.data();
}

/// The owners of this process. The operating system tells only whether a process lives.
struct LiveOwners {
    Mutex mutex;
    std::set<std::string, std::less<>> names DAYBOOK_GUARDED_BY(mutex);
};

LiveOwners& live_owners() {
    static LiveOwners all;
    return all;
}

}  // namespace

Owner::Owner()
    : name_(host_name() + '/' + std::to_string(::getpid()) + '/' +
            EventId::generate().to_string().substr(24)) {
    const MutexLock lock{live_owners().mutex};
    live_owners().names.insert(name_);
}

Owner::~Owner() {
    const MutexLock lock{live_owners().mutex};
    live_owners().names.erase(name_);
}

bool is_dead(std::string_view owner) {
    const auto last = owner.rfind('/');
    if (last == std::string_view::npos || last == 0) return false;
    const auto first = owner.rfind('/', last - 1);
    if (first == std::string_view::npos || owner.substr(0, first) != host_name()) return false;
    const std::string_view text = owner.substr(first + 1, last - first - 1);
    int process = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), process);
    if (error != std::errc{} || end != text.data() + text.size() || process <= 0) return false;
    if (process == ::getpid()) {
        const MutexLock lock{live_owners().mutex};
        return !live_owners().names.contains(owner);
    }
    return ::kill(process, 0) != 0 && errno == ESRCH;
}

}  // namespace daybook::detail
