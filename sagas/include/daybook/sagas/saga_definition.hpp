#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daybook/core/backoff.hpp"
#include "daybook/eventstore/event_view.hpp"
#include "daybook/messaging/message.hpp"
#include "daybook/sagas/saga_state.hpp"
#include "daybook/schema/event_type.hpp"

namespace daybook {

/// One step without its functions: what the state machine needs of it.
struct StepPlan {
    std::string name;
    Reversibility reversibility = Reversibility::read_only;
    std::optional<std::chrono::milliseconds> timeout{};
    Backoff retry = exponential(std::chrono::milliseconds{200}, 2.0, std::chrono::seconds{30})
                        .full_jitter()
                        .attempts(5);
    std::optional<std::chrono::milliseconds> undo_timeout{};
    Backoff undo_retry = retry;
    bool undo_answered = false;  ///< the undo is done when its reply arrives, not when it is sent
};

/// A saga without its functions.
struct SagaPlan {
    std::string name;
    int version = 1;
    std::string hash{};  ///< over everything that a running instance depends on
    std::optional<std::chrono::milliseconds> deadline{};
    std::vector<StepPlan> steps{};
};

namespace detail {

// The result of the builder: the program's functions, wrapped so that they take and return JSON.

enum class Answer { success, failure, busy };

struct EncodedMessage {
    EventType type;
    std::string data;
};

using MakeMessage = std::function<EncodedMessage(std::string_view data)>;
using ApplyReply = std::function<std::string(std::string_view data, const Message& reply)>;
using FromEvent = std::function<std::string(const EventView& event)>;

struct ReplyBinding {
    EventType type;
    Answer answer;
    ApplyReply apply;
};

struct CommandBinding {
    std::string topic;
    EventType type;
    MakeMessage make;
    std::vector<ReplyBinding> replies{};
};

struct StepBinding {
    StepPlan plan{};
    std::optional<CommandBinding> forward{};
    std::optional<CommandBinding> undo{};
    bool own_undo_timeout = false;
    bool own_undo_retry = false;
};

struct StartBinding {
    EventType type;
    FromEvent data;
    FromEvent key;
};

struct EndBinding {
    SagaStatus end;
    CommandBinding message;
};

struct SagaDraft {
    std::string name;
    int version = 1;
    std::optional<std::chrono::milliseconds> deadline{};
    std::vector<StartBinding> starts{};
    std::vector<StepBinding> steps{};
    std::vector<EndBinding> ends{};
};

}  // namespace detail

/// A saga's definition, made by `saga<Data>(…)…build()`. Immutable, cheap to copy; any thread.
class SagaDefinition {
public:
    static constexpr std::size_t steps_max = 100;

    /// Called by the builder. Throws InvalidError, with the reason, for an invalid definition.
    explicit SagaDefinition(detail::SagaDraft draft);

    const std::string& name() const noexcept { return plan().name; }
    int version() const noexcept { return plan().version; }
    const std::string& hash() const noexcept { return plan().hash; }
    /// The topic of the replies to its commands: `saga.fulfil-order`.
    std::string reply_topic() const { return "saga." + name(); }
    const SagaPlan& plan() const noexcept;
    /// The definition as a Mermaid flow chart.
    std::string mermaid() const;

    const detail::SagaDraft& bindings() const noexcept;

private:
    struct Parts;
    std::shared_ptr<const Parts> parts_;
};

}  // namespace daybook
