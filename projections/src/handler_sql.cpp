#include "handler_sql.hpp"

#include "daybook/core/error.hpp"

namespace daybook::detail {

namespace {

/// A statement that is wrong or breaks a rule of its table is the handler's fault.
bool is_of_engine(const Error& error) noexcept {
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
auto HandlerSql::watch(Call&& call) {
    visiting_ = false;
    try {
        return call();
    } catch (const Error& error) {
        // What a visitor throws comes through here as well.
        if (!visiting_ && !failure_ && is_of_engine(error)) failure_ = std::current_exception();
        throw;
    }
}

std::int64_t HandlerSql::execute(std::string_view statement, Parameters parameters) {
    return watch([&] {
        unsettled_ = false;
        return model_.execute(statement, parameters);
    });
}

void HandlerSql::execute_later(std::string_view statement, Parameters parameters) {
    unsettled_ = true;
    watch([&] { model_.execute_later(statement, parameters); });
}

std::int64_t HandlerSql::query(std::string_view statement, Parameters parameters,
                               const Visitor& visit) {
    return watch([&] {
        unsettled_ = false;
        return model_.query(statement, parameters, [&](const SqlRow& row) {
            visiting_ = true;
            visit(row);
            visiting_ = false;
        });
    });
}

void HandlerSql::script(std::string_view statements) {
    watch([&] { model_.script(statements); });
}

std::vector<SqlRelation> HandlerSql::relations() {
    return watch([&] { return model_.relations(); });
}

std::vector<std::string> HandlerSql::columns(std::string_view table) {
    return watch([&] { return model_.columns(table); });
}

}  // namespace daybook::detail
