#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "daybook/eventstore/engine.hpp"

namespace daybook::sqlite {

/// Read models in files of their own, `<store>-rm/<name>.db`.
class ReadModelFiles final : public ReadModelDatabases {
public:
    ReadModelFiles(std::string directory, EngineOptions options);

    std::unique_ptr<ReadModelDatabase> open(std::string_view name, ReadModelUse use) override;
    void remove(std::string_view name) override;
    std::vector<std::string> list() override;

private:
    std::string path_of(std::string_view name) const;

    const std::string directory_;
    const EngineOptions options_;
};

}  // namespace daybook::sqlite
