#include "power_loss.hpp"

#include <algorithm>
#include <utility>

namespace daybook::test {

using Kind = DiskOperation::Kind;

namespace {

void rename(std::map<std::string, std::uint32_t>& names, const DiskOperation& operation,
            const std::string& path) {
    if (operation.kind == Kind::create) {
        names[path] = operation.file;
    } else {
        names.erase(path);
    }
}

}  // namespace

PowerLoss::PowerLoss(const OperationLog& log) : log_(log), files_(log.paths.size()) {
    std::uint32_t number = 0;
    for (const auto& [path, bytes] : log.before) {
        files_[number].durable = bytes;
        names_.emplace(path, number++);
    }
}

void PowerLoss::apply(FileBytes& bytes, const DiskOperation& operation) const {
    if (operation.kind == Kind::truncate) {
        bytes.truncate(operation.bytes);
    } else {
        bytes.write(operation.offset, log_.data.data() + operation.data, operation.bytes);
    }
}

void PowerLoss::make_durable(File& file) {
    for (const std::size_t number : file.pending) apply(file.durable, log_.operations[number]);
    // A write that is durable now covers what an earlier failed sync left open below it.
    std::erase_if(file.lost, [&](std::size_t number) {
        const DiskOperation& lost = log_.operations[number];
        return std::ranges::any_of(file.pending, [&](std::size_t later) {
            const DiskOperation& write = log_.operations[later];
            return write.kind == Kind::write && lost.kind == Kind::write &&
                   write.offset <= lost.offset &&
                   write.offset + write.bytes >= lost.offset + lost.bytes;
        });
    });
    file.pending.clear();
    for (const std::size_t number : pending_names_) {
        const DiskOperation& operation = log_.operations[number];
        rename(names_, operation, log_.paths[operation.file]);
    }
    pending_names_.clear();
}

void PowerLoss::advance_to(std::size_t operations) {
    for (; done_ < operations; ++done_) {
        const DiskOperation& operation = log_.operations[done_];
        File& file = files_[operation.file];
        switch (operation.kind) {
            case Kind::write:
            case Kind::truncate: file.pending.push_back(done_); break;
            case Kind::create:
            case Kind::remove: pending_names_.push_back(done_); break;
            case Kind::sync: make_durable(file); break;
            case Kind::failed_sync:
                file.lost.insert(file.lost.end(), file.pending.begin(), file.pending.end());
                file.pending.clear();
                break;
        }
    }
}

bool PowerLoss::is_pending() const {
    return !pending_names_.empty() || std::ranges::any_of(files_, [](const File& file) {
        return !file.pending.empty() || !file.lost.empty();
    });
}

void PowerLoss::keep_some(FileBytes& bytes, const DiskOperation& operation, std::mt19937_64& random,
                          const PowerLossFate& fate) const {
    const auto kept = [&] { return random() % 100 < fate.keep_percent; };
    constexpr std::size_t sector_bytes = 512;
    if (operation.kind != Kind::write || !fate.tears || random() % 2 == 0) {
        if (kept()) apply(bytes, operation);
        return;
    }
    for (std::size_t done = 0; done < operation.bytes;) {
        const std::size_t at = operation.offset + done;
        const std::size_t part = std::min(operation.bytes - done, sector_bytes - at % sector_bytes);
        if (kept()) bytes.write(at, log_.data.data() + operation.data + done, part);
        done += part;
    }
}

DiskImage PowerLoss::image(std::mt19937_64& random, const PowerLossFate& fate) const {
    auto names = names_;
    std::size_t names_kept = pending_names_.size() * fate.keep_percent / 100;
    if (fate.keep_percent % 100 != 0) names_kept = random() % (pending_names_.size() + 1);
    for (std::size_t i = 0; i < names_kept; ++i) {
        const DiskOperation& operation = log_.operations[pending_names_[i]];
        rename(names, operation, log_.paths[operation.file]);
    }
    DiskImage image;
    for (const auto& [path, number] : names) {
        const File& file = files_[number];
        FileBytes bytes = file.durable;
        Numbers open = file.lost;
        open.insert(open.end(), file.pending.begin(), file.pending.end());
        for (const std::size_t operation : open) {
            keep_some(bytes, log_.operations[operation], random, fate);
        }
        image.emplace(path, std::move(bytes));
    }
    return image;
}

}  // namespace daybook::test
