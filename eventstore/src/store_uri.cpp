#include "daybook/eventstore/store_uri.hpp"

namespace daybook {

namespace {

constexpr std::string_view hidden = "***";

void hide_login(std::string& uri, std::size_t begin) {
    // The last one: a password may hold what should have been escaped.
    const auto at = uri.rfind('@');
    if (at == std::string::npos || at < begin) return;
    const auto colon = uri.find(':', begin);
    if (colon >= at) return;
    uri.replace(colon + 1, at - colon - 1, hidden);
}

void hide_parameters(std::string& uri) {
    constexpr std::string_view key = "password=";
    for (auto found = uri.find(key); found != std::string::npos; found = uri.find(key, found)) {
        found += key.size();
        const auto end = uri.find('&', found);
        uri.replace(found, (end == std::string::npos ? uri.size() : end) - found, hidden);
    }
}

}  // namespace

std::string shown_uri(std::string_view uri) {
    std::string shown{uri};
    const auto scheme_end = shown.find("://");
    if (scheme_end == std::string::npos) return shown;
    hide_login(shown, scheme_end + 3);
    hide_parameters(shown);
    return shown;
}

}  // namespace daybook
