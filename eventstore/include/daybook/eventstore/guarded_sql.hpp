#pragma once

#include <array>
#include <string>
#include <string_view>

#include "daybook/eventstore/sql.hpp"

namespace daybook {

/// Checks the text of one statement that a program wants to run inside a transaction of the store
/// or of a read model. Throws InvalidError, naming the statement, if the text
///   - holds no statement, or more than one;
///   - would end or divide the transaction (COMMIT, ROLLBACK, SAVEPOINT ...), or would change the
///     connection of the store (ATTACH, SET other than SET LOCAL, PRAGMA other than those that
///     only show something);
///   - changes an object whose name begins with `daybook_`, or calls such a function. These names
///     are reserved in all databases of the store; reading them is allowed.
/// It compares words and does not parse the grammar: a statement that changes a program's table and
/// reads one of the store's is refused as well.
void check_program_statement(std::string_view statement);

/// Checks a text of any number of statements, such as a schema, as `check_program_statement` does.
void check_program_script(std::string_view statements);

/// The SQL of a transaction or a read model as a program may use it: each text is checked by
/// `check_program_statement` or `check_program_script` before the engine sees it. A text that was
/// checked recently is not checked again.
class GuardedSql final : public Sql {
public:
    /// `inner` must outlive this.
    explicit GuardedSql(Sql& inner) noexcept : inner_(inner) {}

    std::int64_t execute(std::string_view statement, Parameters parameters) override;
    void execute_later(std::string_view statement, Parameters parameters) override;
    std::int64_t query(std::string_view statement, Parameters parameters,
                       const Visitor& visit) override;
    void script(std::string_view statements) override;
    std::vector<SqlRelation> relations() override { return inner_.relations(); }
    std::vector<std::string> columns(std::string_view table) override {
        return inner_.columns(table);
    }

private:
    void check(std::string_view statement);

    Sql& inner_;
    std::array<std::string, 8> checked_;  ///< the last texts
    std::size_t oldest_ = 0;
};

}  // namespace daybook
