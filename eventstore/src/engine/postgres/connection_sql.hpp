#pragma once

#include <string>
#include <string_view>

#include "engine/postgres/connection.hpp"
#include "values/text_hash.hpp"

namespace daybook::postgres {

/// The seam's SQL over a connection that its owner may replace.
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
    Translated long_statement_;  ///< the last one that is too long to be kept
};

/// `?` as PostgreSQL writes it: `$1`, `$2` … Texts, names and comments are left alone.
std::string number_parameters(std::string_view statement, int& parameters);

}  // namespace daybook::postgres
