#pragma once

#include "daybook/core/error.hpp"
#include "daybook/core/expected_version.hpp"
#include "daybook/core/stream_name.hpp"

namespace daybook {

/// A stream did not have the expected version. Nothing of the append was stored.
struct Conflict {
    StreamName stream;
    ExpectedVersion expected;
    Version actual;

    std::string to_string() const;
};

/// A `Conflict`, thrown. `append` throws it, `try_append` returns the `Conflict`.
class ConflictError : public ErrorOf<ErrorKind::conflict> {
public:
    explicit ConflictError(Conflict conflict,
                           std::source_location where = std::source_location::current());

    const StreamName& stream() const noexcept { return conflict_.stream; }
    ExpectedVersion expected() const noexcept { return conflict_.expected; }
    Version actual() const noexcept { return conflict_.actual; }

private:
    Conflict conflict_;
};

}  // namespace daybook
