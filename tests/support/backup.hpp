#pragma once

#include <memory>
#include <string>

#include "store_place.hpp"

namespace daybook::test {

/// A store's state, to be put into a place again while programs have the store there open: as an
/// operator does it, by SQLite's backup into the file, or by dropping the schema and making it
/// anew.
class Backup {
public:
    explicit Backup(const StorePlace& of);
    ~Backup();
    Backup(const Backup&) = delete;
    Backup& operator=(const Backup&) = delete;

    /// In place of whatever is there. Once.
    void put_into(const StorePlace& place);

private:
    std::unique_ptr<StorePlace> kept_;
};

/// Renames a table of the store away, or back: it is not there meanwhile.
void hide_table(const StorePlace& place, const std::string& table);
void show_table(const StorePlace& place, const std::string& table);

}  // namespace daybook::test
