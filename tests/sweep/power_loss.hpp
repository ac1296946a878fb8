#pragma once

#include <cstddef>
#include <map>
#include <random>
#include <vector>

#include "disk_image.hpp"

namespace daybook::test {

/// What happens to writes that no sync has covered when the power goes.
struct PowerLossFate {
    unsigned keep_percent = 50;
    /// Sectors of 512 bytes of one write are kept or dropped on their own.
    bool tears = true;
};

/// Replays a recorded log and makes images of what may be on the disk if the power goes at a point.
///
/// Each pending write and truncation of a file is kept or dropped by itself; of those that touch
/// the same bytes the latest that is kept wins, so every order in which a disk may have done them
/// is covered. Names come and go in order, as on a file system with a journal: some first part of
/// the pending ones is kept, and a sync of any file keeps all before it. What a failed sync should
/// have covered stays pending for good: the next sync does not save it.
class PowerLoss {
public:
    explicit PowerLoss(const OperationLog& log);

    /// Replays until so many operations have happened.
    void advance_to(std::size_t operations);
    /// Whether anything is pending, so that there is more than one outcome.
    bool is_pending() const;
    DiskImage image(std::mt19937_64& random, const PowerLossFate& fate) const;

private:
    using Numbers = std::vector<std::size_t>;  // of operations
    struct File {
        FileBytes durable;
        Numbers pending;
        Numbers lost;  // what a failed sync should have covered
    };

    void apply(FileBytes& bytes, const DiskOperation& operation) const;
    void make_durable(File& file);
    void keep_some(FileBytes& bytes, const DiskOperation& operation, std::mt19937_64& random,
                   const PowerLossFate& fate) const;

    const OperationLog& log_;
    std::size_t done_ = 0;
    std::vector<File> files_;                     // by number
    std::map<std::string, std::uint32_t> names_;  // that are durable
    Numbers pending_names_;
};

}  // namespace daybook::test
