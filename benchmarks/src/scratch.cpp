#include "scratch.hpp"

#include <cerrno>
#include <stdexcept>
#include <string>
#include <system_error>

#include <stdlib.h>
#include <sys/vfs.h>

namespace bench {

namespace {

bool is_memory(const std::filesystem::path& directory) {
    constexpr long tmpfs = 0x01021994;
    constexpr long ramfs = static_cast<long>(0x858458f6);
    struct statfs about{};
    if (statfs(directory.c_str(), &about) != 0) return false;
    const auto type = static_cast<long>(about.f_type);
    return type == tmpfs || type == ramfs;
}

}  // namespace

Scratch::Scratch(const std::filesystem::path& parent) {
    if (is_memory(parent))
        throw std::runtime_error(parent.string() + " is in memory; name a disk with --dir");
    std::string name = (std::filesystem::absolute(parent) / "daybook-bench-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr)
        throw std::system_error(errno, std::generic_category(), "cannot make " + name);
    directory_ = name;
}

Scratch::~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
}

}  // namespace bench
