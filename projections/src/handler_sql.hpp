#pragma once

#include <exception>

#include "daybook/eventstore/sql.hpp"

namespace daybook::detail {

/// The model's SQL as handlers get it. It keeps the first failure of the engine itself, so that
/// it can be told from what a handler throws of its own accord: the one is nobody's fault and is
/// waited out, even if the handler has caught it, the other is the event's.
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

    /// Learns now what became of statements that were sent along without waiting for them.
    void settle() {
        if (unsettled_) query("SELECT 1", {}, [](const SqlRow&) {});
    }
    /// Throws the engine's failure, if there was one.
    void rethrow_failure() const {
        if (failure_) std::rethrow_exception(failure_);
    }

private:
    template <class Call>
    auto watch(Call&& call);

    Sql& model_;
    std::exception_ptr failure_;
    bool visiting_ = false;
    bool unsettled_ = false;
};

}  // namespace daybook::detail
