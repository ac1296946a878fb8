#include "handler_sql.hpp"

#include "daybook/core/error.hpp"

namespace daybook::detail {

namespace {

/// A wrong statement, or one that violates a constraint, is an error of the handler. All other
/// errors are of the engine: the disk, a lock, the connection.
bool is_engine_error(const Error& error) noexcept {
    switch (error.kind()) {
        case ErrorKind::invalid:
        case ErrorKind::conflict:
        case ErrorKind::duplicate: return false;
        case ErrorKind::not_found:
        case ErrorKind::unavailable:
        case ErrorKind::storage:
        case ErrorKind::corrupt:
        case ErrorKind::in_doubt:
        case ErrorKind::cancelled: return true;
    }
    return true;
}

}  // namespace

template <class Call>
auto HandlerSql::keep_failure(Call&& call) {
    visiting_ = false;
    try {
        return call();
    } catch (const Error& error) {
        // A visitor is code of the handler: what it throws is not of the engine.
        if (!visiting_ && !failure_ && is_engine_error(error)) failure_ = std::current_exception();
        throw;
    }
}

std::int64_t HandlerSql::execute(std::string_view statement, Parameters parameters) {
    return keep_failure([&] {
        awaiting_results_ = false;
        return model_.execute(statement, parameters);
    });
}

void HandlerSql::execute_later(std::string_view statement, Parameters parameters) {
    awaiting_results_ = true;
    keep_failure([&] { model_.execute_later(statement, parameters); });
}

std::int64_t HandlerSql::query(std::string_view statement, Parameters parameters,
                               const Visitor& visit) {
    return keep_failure([&] {
        awaiting_results_ = false;
        return model_.query(statement, parameters, [&](const SqlRow& row) {
            visiting_ = true;
            visit(row);
            visiting_ = false;
        });
    });
}

void HandlerSql::script(std::string_view statements) {
    keep_failure([&] { model_.script(statements); });
}

std::vector<SqlRelation> HandlerSql::relations() {
    return keep_failure([&] { return model_.relations(); });
}

std::vector<std::string> HandlerSql::columns(std::string_view table) {
    return keep_failure([&] { return model_.columns(table); });
}

}  // namespace daybook::detail
