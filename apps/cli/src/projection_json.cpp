#include "projection_json.hpp"

namespace daybook::command {

namespace {

Json rebuild_json(const RebuildStatus& rebuild) {
    return {{"version", rebuild.version},
            {"owner", text_or_null(rebuild.owner)},
            {"position", rebuild.position.value()},
            {"target", rebuild.target.value()},
            {"started_at", to_iso8601(rebuild.started_at)},
            {"updated_at", to_iso8601(rebuild.updated_at)},
            {"error", text_or_null(rebuild.error)}};
}

}  // namespace

Json status_json(const ProjectionStatus& status) {
    return {{"name", status.name},
            {"version", status.version},
            {"lifecycle", to_string(status.lifecycle)},
            {"state", to_string(status.state)},
            {"defined", status.defined},
            {"build", status.build},
            {"position", status.accounting.position.value()},
            {"lag", status.lag},
            {"applied", status.accounting.applied},
            {"filtered", status.accounting.filtered},
            {"parked", status.accounting.parked},
            {"skipped", status.accounting.skipped},
            {"last_error", text_or_null(status.last_error)},
            {"rebuild", status.rebuild ? rebuild_json(*status.rebuild) : Json(nullptr)}};
}

Json parked_json(const ParkedEvent& parked) {
    return {{"position", parked.position.value()},
            {"key", parked.key},
            {"type", parked.type},
            {"error", text_or_null(parked.error)},
            {"attempts", parked.attempts},
            {"parked_at", to_iso8601(parked.parked_at)}};
}

Json rebuilt_json(const std::string& name, const RebuildResult& result) {
    return {{"name", name},
            {"version", result.version},
            {"build", result.build},
            {"position", result.position.value()},
            {"scanned", result.scanned},
            {"resumed", result.resumed},
            {"took_ms", result.took.count()}};
}

}  // namespace daybook::command
