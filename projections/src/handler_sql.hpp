#pragma once

#include <exception>

#include "daybook/eventstore/sql.hpp"

namespace daybook::detail {

/// The model's SQL as handlers get it. It keeps the first error of the engine, which is not the
/// event's fault: the transaction must be rolled back and retried, even if the handler has caught
/// the error. Everything else that a handler throws is the failure of the event.
class HandlerSql final : public Sql {
public:
    /// `model` must outlive this.
    explicit HandlerSql(Sql& model) noexcept : model_(model) {}

    std::int64_t execute(std::string_view statement, Parameters parameters) override;
    void execute_later(std::string_view statement, Parameters parameters) override;
    std::int64_t query(std::string_view statement, Parameters parameters,
                       const Visitor& visit) override;
    void script(std::string_view statements) override;
    std::vector<SqlRelation> relations() override;
    std::vector<std::string> columns(std::string_view table) override;

    /// Waits for the results of `execute_later`. Without this, the error of such a statement would
    /// surface at a later event and be taken for that event's failure.
    void await_results() {
        if (awaiting_results_) query("SELECT 1", {}, [](const SqlRow&) {});
    }
    /// Throws the kept error, if there is one.
    void rethrow_failure() const {
        if (failure_) std::rethrow_exception(failure_);
    }

private:
    template <class Call>
    auto keep_failure(Call&& call);

    Sql& model_;
    std::exception_ptr failure_;
    bool visiting_ = false;
    bool awaiting_results_ = false;
};

}  // namespace daybook::detail
