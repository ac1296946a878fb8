#pragma once

#include <string>

namespace daybook::detail {

/// A name for one run of a piece of work, as the owner of its leases: `host/process/random`. Each
/// call gives another one, so that two runs of one process do not share a lease.
std::string worker_name();

}  // namespace daybook::detail
