#pragma once

#include <string>
#include <string_view>

#include "engine/postgres/connection.hpp"
#include "values/text_hash.hpp"

namespace daybook::postgres {

/// The engine interface's `Sql` over one connection.
class ConnectionSql final : public Sql {
public:
    /// `connection` must outlive this.
    explicit ConnectionSql(Connection& connection) noexcept : connection_(connection) {}

    std::int64_t execute(std::string_view statement, Sql::Parameters parameters) override;
    void execute_later(std::string_view statement, Sql::Parameters parameters) override;
    std::int64_t query(std::string_view statement, Sql::Parameters parameters,
                       const Visitor& visit) override;
    void script(std::string_view statements) override;
    std::vector<SqlRelation> relations() override;
    std::vector<std::string> columns(std::string_view table) override;

private:
    /// A statement with `$1`, `$2` … for its parameters.
    struct Translated {
        std::string text;
        int parameters = 0;
        Author author = Author::program;
    };
    const Translated& translated(std::string_view statement);
    void send(std::string_view statement, Sql::Parameters parameters);
    Result run(std::string_view statement, Sql::Parameters parameters);

    Connection& connection_;
    detail::ByText<Translated> translated_;
    Translated long_statement_;  ///< the last statement that is too long to be cached
};

/// Replaces each `?` by `$1`, `$2` … and counts them in `parameters`. A `?` in a quoted text, a
/// quoted name or a comment stays.
std::string number_parameters(std::string_view statement, int& parameters);

}  // namespace daybook::postgres
