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

/// Applies one or more inputs to one saga within one transaction. The journal entries, messages and
/// timers that follow from them go through the same transaction: otherwise a crash could send a
/// command that the journal does not contain, or lose one that it contains.
class SagaTransaction {
public:
    SagaTransaction(Transaction& tx, const SagaDefinition& definition, LoadedSaga saga,
                    std::size_t data_bytes_max)
        : tx_(tx),
          definition_(definition),
          before_(saga.journal),
          state_(std::move(saga.state)),
          data_bytes_max_(data_bytes_max) {}

    const SagaState& state() const noexcept { return state_; }

    /// These two call the program's functions, once; an exception makes the saga an incident.
    void start(const StartBinding& binding, const EventView& event);
    void reply(const CommandRef& ref, const Message& message);
    /// False if the input changes nothing.
    bool apply(const SagaInput& input);

    /// These two throw InvalidError to the operator; the transaction must then be rolled back.
    /// `event` is the start event, if a retry has to start the saga again; otherwise null.
    void operate(const OperatorInput& input, const EventView* event);
    /// `reply` may be null: the operator gives none.
    void complete(OperatorInput input, const Message* reply);
    /// The reply type with which the current step, or its undo, succeeds. Throws InvalidError
    /// unless there is exactly one.
    const EventType& success_type() const;

    bool has_changes() const noexcept { return !new_entries_.empty(); }
    /// Appends the entries and updates the index. Throws ConflictError.
    void store() { store_saga(tx_, state_, before_, std::move(new_entries_)); }

private:
    void carry_out(const SagaEffect& effect);
    void send(const CommandRef& ref);
    void end(SagaStatus status);
    void publish(const CommandBinding& command, PublishOptions options);
    void add_entry(const EventType& type, std::string text, std::string input);
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
    std::vector<JournaledEvent> new_entries_{};
};

/// The text of a program's exception, made fit for a journal: valid UTF-8, one line, bounded in
/// length.
std::string plain_text(std::string_view text);
/// The error text for a thrown object that is not a std::exception.
inline constexpr std::string_view no_exception = "something that is no exception";

}  // namespace daybook::detail
