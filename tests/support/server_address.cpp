#include "server_address.hpp"

#include <algorithm>
#include <stdexcept>

namespace daybook::test {

ServerAddress::ServerAddress(const std::string& uri) {
    const auto begin = uri.find("://");
    if (begin == std::string::npos) throw std::runtime_error("no URI: " + uri);
    const auto end = std::min(uri.find_first_of("/?", begin + 3), uri.size());
    const auto at = uri.substr(0, end).rfind('@');
    const auto host_begin = at == std::string::npos || at < begin ? begin + 3 : at + 1;
    const auto colon = uri.substr(0, end).rfind(':');
    if (colon == std::string::npos || colon < host_begin) {
        throw std::runtime_error("no host and port in " + uri);
    }
    before = uri.substr(0, host_begin);
    host = uri.substr(host_begin, colon - host_begin);
    port = uri.substr(colon + 1, end - colon - 1);
    after = uri.substr(end);
}

std::string ServerAddress::uri_at(int other_port) const {
    return before + "127.0.0.1:" + std::to_string(other_port) + after;
}

}  // namespace daybook::test
