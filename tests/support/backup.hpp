#pragma once

#include <memory>
#include <string>

#include "store_location.hpp"

namespace daybook::test {

/// A copy of a store, to be restored while programs have the store open. It restores as an operator
/// does: by SQLite's backup into the file, or by dropping the schema and making it anew.
class Backup {
public:
    explicit Backup(const StoreLocation& source);
    ~Backup();
    Backup(const Backup&) = delete;
    Backup& operator=(const Backup&) = delete;

    /// Replaces the store in `location` by the copy. May be called once.
    void restore_to(const StoreLocation& location);

private:
    std::unique_ptr<StoreLocation> copy_;
};

/// Renames a table of the store, so that no statement finds it, or gives it its name back.
void hide_table(const StoreLocation& location, const std::string& table);
void show_table(const StoreLocation& location, const std::string& table);

}  // namespace daybook::test
