#include "enum_names.hpp"

#include "daybook/sagas/saga_explanation.hpp"
#include "daybook/sagas/saga_state.hpp"

namespace daybook {

std::string_view to_string(SagaStatus status) noexcept {
    switch (status) {
        case SagaStatus::running: return "running";
        case SagaStatus::compensating: return "compensating";
        case SagaStatus::completed: return "completed";
        case SagaStatus::compensated: return "compensated";
        case SagaStatus::failed: return "failed";
        case SagaStatus::cancelled: return "cancelled";
        case SagaStatus::incident: return "incident";
    }
    return "";
}

std::string_view to_string(Reversibility reversibility) noexcept {
    switch (reversibility) {
        case Reversibility::undo: return "undo";
        case Reversibility::pivot: return "pivot";
        case Reversibility::retriable: return "retriable";
        case Reversibility::read_only: return "read-only";
    }
    return "";
}

std::string_view to_string(StepStatus status) noexcept {
    switch (status) {
        case StepStatus::waiting: return "waiting";
        case StepStatus::running: return "running";
        case StepStatus::backing_off: return "backing-off";
        case StepStatus::done: return "done";
        case StepStatus::unknown: return "unknown";
        case StepStatus::failed: return "failed";
        case StepStatus::skipped: return "skipped";
        case StepStatus::undoing: return "undoing";
        case StepStatus::undo_backing_off: return "undo-backing-off";
        case StepStatus::undone: return "undone";
        case StepStatus::undo_failed: return "undo-failed";
    }
    return "";
}

std::string_view to_string(IncidentCause cause) noexcept {
    switch (cause) {
        case IncidentCause::none: return "none";
        case IncidentCause::start: return "start";
        case IncidentCause::reply: return "reply";
        case IncidentCause::send: return "send";
        case IncidentCause::step: return "step";
        case IncidentCause::undo: return "undo";
        case IncidentCause::late: return "late";
        case IncidentCause::end: return "end";
    }
    return "";
}

std::string_view to_string(SagaTimerKind kind) noexcept {
    switch (kind) {
        case SagaTimerKind::timeout: return "timeout";
        case SagaTimerKind::retry: return "retry";
        case SagaTimerKind::deadline: return "deadline";
    }
    return "";
}

std::string_view to_string(SagaAction action) noexcept {
    switch (action) {
        case SagaAction::retry: return "retry";
        case SagaAction::skip: return "skip";
        case SagaAction::complete: return "complete";
        case SagaAction::cancel: return "cancel";
    }
    return "";
}

SagaStatus parse_saga_status(std::string_view name) {
    if (const auto found = detail::enum_from_name<SagaStatus>(name)) return *found;
    throw InvalidError("'" + std::string(name) +
                       "' is no status of a saga: write running, compensating, completed, "
                       "compensated, failed, cancelled or incident");
}

bool has_ended(SagaStatus status) noexcept {
    return status == SagaStatus::completed || status == SagaStatus::compensated ||
           status == SagaStatus::failed || status == SagaStatus::cancelled;
}

StreamName saga_stream(const SagaId& id) {
    return StreamName{"saga-" + id.definition + ":" + id.key};
}

}  // namespace daybook
