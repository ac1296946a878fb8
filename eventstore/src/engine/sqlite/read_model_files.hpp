#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "daybook/eventstore/engine.hpp"
#include "daybook/eventstore/store_options.hpp"
#include "values/fork_mark.hpp"

namespace daybook::sqlite {

/// Read models in files of their own, `<store>-rm/<name>.db`. Directory and files belong to the
/// store's owner and grant no right that the store does not grant. A symbolic link in their place
/// is refused: it could lead to a file of another user.
class ReadModelFiles final : public ReadModelDatabases {
public:
    ReadModelFiles(std::string store, StoreOptions options);

    std::unique_ptr<ReadModelDatabase> open(std::string_view name, ReadModelUse use) override;
    void remove(std::string_view name) override;
    std::vector<std::string> list() override;
    std::vector<std::string> move_into_store(std::string_view name, Sql& store) override;
    void drop_from_store(const std::vector<std::string>& objects, Sql& store) override;

private:
    std::string path_of(std::string_view name) const;

    const detail::ForkMark fork_mark_;
    const std::string store_;
    const std::string directory_;
    const StoreOptions options_;
};

}  // namespace daybook::sqlite
