#pragma once

#include <nlohmann/json_fwd.hpp>

#include "daybook/schema/codec.hpp"

namespace daybook {

/// A state that can be written as JSON and read back, so that snapshots of it can be kept: an
/// aggregate, or a decider's State, with `fields()`, or with nlohmann's `to_json` and `from_json`.
///
/// A snapshot is a cached fold of a stream; only the events count. It is used only if these are the
/// same as when it was taken: the events by name and version, the JSON of the state before the
/// first event (a new field or another default changes it), the `static constexpr int
/// snapshot_version` of the aggregate or decider, and the event that it ends with. Otherwise it is
/// ignored and replaced by the next. Increase `snapshot_version` when `on` or `evolve` changes its
/// meaning.
template <class T>
concept Snapshottable = HasFields<T> || (detail::DomEncodable<T> && detail::DomDecodable<T>);

}  // namespace daybook
