#pragma once

#include <string_view>

namespace daybook {

/// Throws InvalidError, without a password in its text, for a name that was meant for a server but
/// is no URI: `postgresql:ada:secret@db`, `host=db password=secret`. Otherwise a file of this name
/// would be created, with the password in its name. `./host=db` is accepted as a file.
void check_store_name(std::string_view name);

/// Throws InvalidError unless `name` can name a read model's database on every engine: letters,
/// digits, `.`, `_`, `-`, and no dot in front.
void check_read_model_name(std::string_view name);

}  // namespace daybook
