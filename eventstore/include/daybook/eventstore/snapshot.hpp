#pragma once

#include <nlohmann/json_fwd.hpp>

#include "daybook/schema/codec.hpp"

namespace daybook {

/// A state that can be written as JSON and read back, so that snapshots of it can be kept: an
/// aggregate, or a decider's State, with `fields()`, or with nlohmann's `to_json` and `from_json`.
///
/// A snapshot is a cached fold of a stream and never the truth. It is used only if it fits: same
/// events by name and version, same JSON of the state before the first event (a new field or
/// another default shows there), same `static constexpr int snapshot_version` of the aggregate or
/// decider, and the event it ends with still in its place. One that does not fit is ignored, and
/// replaced by the next. Raise `snapshot_version` when `on` or `evolve` changes its meaning.
template <class T>
concept Snapshottable = HasFields<T> || (detail::DomEncodable<T> && detail::DomDecodable<T>);

}  // namespace daybook
