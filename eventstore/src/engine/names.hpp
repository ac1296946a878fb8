#pragma once

#include <string_view>

namespace daybook {

/// Throws InvalidError, which shows no password, for a name that was meant for a server but is not
/// spelt like a URI: `postgresql:ada:secret@db`, `host=db password=secret`. It would become a file
/// of that name. A file may be called so all the same: `./host=db`.
void check_store_name(std::string_view name);

/// Throws InvalidError unless `name` can name a read model's database on every engine: letters,
/// digits, `.`, `_`, `-`, and no dot in front.
void check_read_model_name(std::string_view name);

}  // namespace daybook
