#pragma once

#include <filesystem>
#include <string_view>

namespace bench {

/// A directory for this run's files. The destructor removes it.
class Scratch {
public:
    /// Throws std::runtime_error if `parent` cannot be written, or is memory and not a disk:
    /// a commit that costs nothing would be compared with another one.
    explicit Scratch(const std::filesystem::path& parent);
    ~Scratch();
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

    std::string file(std::string_view name) const { return (directory_ / name).string(); }

private:
    std::filesystem::path directory_;
};

}  // namespace bench
