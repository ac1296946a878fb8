#pragma once

#include <string_view>

namespace daybook::detail {

/// Throws InvalidError unless `name` can name a read model's database on every engine: letters,
/// digits, `.`, `_`, `-`, and no dot in front.
void check_read_model_name(std::string_view name);

}  // namespace daybook::detail
