#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daybook/eventstore/event_store.hpp"
#include "daybook/projections/lifecycle.hpp"
#include "daybook/projections/projection_definition.hpp"

namespace daybook::detail {

/// A projection as the store knows it: which model of it is in service.
struct Registered {
    std::string name;
    Lifecycle lifecycle = Lifecycle::async;
    int version = 0;
    std::string fingerprint;
    std::int64_t build = 0;
    std::int64_t last_build = 0;
    std::int64_t epoch = 0;
    std::vector<std::string> relations;  ///< `table x` or `view x`, inline only
    bool halted = false;
    std::string last_error;
    EventId store;  ///< the store's identity
};

/// A build that is not in service.
struct Unfinished {
    std::string name;
    Lifecycle lifecycle = Lifecycle::async;
    int version = 0;
    std::string fingerprint;
    std::int64_t build = 0;
    std::string owner;
    std::int64_t epoch = 0;
    Position position;
    Position target;
    Timestamp started_at;
    Timestamp updated_at;
    std::string error;
};

/// The fingerprint of a definition as it reads the log of `store`: its shape, and with upcasters
/// the stored events that they make its events of. With another fingerprint a model would have
/// other rows.
std::string definition_fingerprint(const EventStore& store, const ProjectionShape& shape);

/// What a program wants in service.
struct Wanted {
    const ProjectionShape& shape;
    Lifecycle lifecycle;
    std::string fingerprint;
};

/// How the model in service compares with a program's definition.
enum class Standing { current, outdated, superseded };
Standing compare(const Registered& registered, const Wanted& wanted);
/// In what they differ, for people.
std::string difference(const Registered& registered, const Wanted& wanted);

/// `<name>.v<version>.b<build>`.
std::string database_name(const Registered& model);
/// Of the build that is made when the projection is new.
std::string first_database_name(const ProjectionShape& shape);
std::string database_name(const Unfinished& build);

/// The tables `projection` and `rebuild` of the store's own database, inside whatever transaction
/// is open on `sql`. Its instants are the machine's, because processes compare them. Cheap to make.
class Registry {
public:
    /// `clock` dates what is written: the engine's, so that all who share the store agree.
    explicit Registry(Sql& sql, const Clock& clock = SystemClock::instance()) noexcept
        : sql_(sql), clock_(clock) {}

    std::optional<Registered> find(std::string_view name);
    std::vector<Registered> list();
    /// Its first build; nothing happens if it is there already.
    void insert(const Wanted& wanted, const std::vector<std::string>& relations);
    void set_standing(const Registered& registered, bool halted, std::string_view error);

    std::optional<Unfinished> find_rebuild(std::string_view name);
    std::vector<Unfinished> list_rebuilds();
    /// Writes `claim` over whatever stood there and numbers it as the newest.
    void claim(const Unfinished& claim);
    bool is_ours(const Unfinished& claim);
    /// A sign of life. False if somebody else has taken the rebuild over.
    bool report(const Unfinished& claim, Position position, Position target);
    void leave(const Unfinished& claim, std::string_view error);
    /// Ends the rebuild: its build is the one in service.
    void put_in_service(const Unfinished& claim, const std::vector<std::string>& relations);

private:
    Sql& sql_;
    const Clock& clock_;
};

/// Removes a database that is in nobody's way: if that fails, it is said in the log, and
/// `remove_orphans` tries again.
void remove_leftover(const EventStore& store, const std::string& database) noexcept;

/// Removes the databases of this store's projections that neither the registry nor a rebuild names:
/// what a crash left behind. Those of names it does not know stay.
void remove_orphans(const EventStore& store);

}  // namespace daybook::detail
