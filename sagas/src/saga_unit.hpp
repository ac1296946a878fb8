#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "daybook/eventstore/transaction.hpp"
#include "daybook/sagas/saga_definition.hpp"
#include "journal.hpp"
#include "machine.hpp"

namespace daybook::detail {

/// One or more inputs to one saga in one transaction: everything that follows from them goes
/// through the transaction, so that it commits with them or not at all.
class SagaUnit {
public:
    SagaUnit(Transaction& tx, const SagaDefinition& definition, LoadedSaga saga,
             std::size_t data_bytes_max)
        : tx_(tx),
          definition_(definition),
          before_(saga.journal),
          state_(std::move(saga.state)),
          data_bytes_max_(data_bytes_max) {}

    const SagaState& state() const noexcept { return state_; }

    /// Here the program's functions are called, once; what they throw makes the saga an incident.
    void start(const StartBinding& binding, const EventView& event);
    void reply(const CommandRef& ref, const Message& message);
    /// False if there was nothing to do.
    bool apply(const SagaInput& input);

    /// Here it is the operator who learns of an error: InvalidError, and nothing may be stored.
    /// `event` is the one that started it, if that is what a retry has to repeat.
    void operate(const OperatorInput& input, const EventView* event);
    /// `reply` null: the operator gives none.
    void complete(OperatorInput input, const Message* reply);
    /// The answer that the current step, or its undo, succeeds with. Throws InvalidError if there
    /// is not exactly one.
    const EventType& success_type() const;

    bool happened() const noexcept { return !happened_.empty(); }
    /// Stores it all. Throws ConflictError.
    void store() { store_saga(tx_, state_, before_, std::move(happened_)); }

private:
    void carry_out(const SagaEffect& effect);
    void send(const CommandRef& ref);
    void end(SagaStatus status);
    void publish(const CommandBinding& command, PublishOptions options);
    void note(const EventType& type, std::string text, std::string input);
    std::string checked(std::string data) const;
    std::string data_from(const StartBinding& binding, const EventView& event) const;
    std::string data_after(const ReplyBinding& binding, const Message& message) const;
    const ReplyBinding& binding_of(const CommandRef& ref, std::string_view type) const;
    const CommandBinding& command_of(const CommandRef& ref) const;
    CommandRef current_ref() const;

    Transaction& tx_;
    const SagaDefinition& definition_;
    Version before_;
    SagaState state_;
    std::size_t data_bytes_max_;
    std::vector<JournaledEvent> happened_{};
};

/// What a program's exception says may be anything; a journal holds text on one line, and not too
/// much of it.
std::string plain_text(std::string_view text);
/// What is said of something thrown that says nothing itself.
inline constexpr std::string_view no_exception = "something that is no exception";

}  // namespace daybook::detail
