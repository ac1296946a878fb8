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

/// A row of `daybook_projection`: which build of a projection is in service.
struct ProjectionRow {
    std::string name;
    Lifecycle lifecycle = Lifecycle::async;
    int version = 0;
    std::string fingerprint;
    std::int64_t build = 0;
    std::int64_t last_build = 0;         ///< highest build number ever given, in service or not
    std::vector<std::string> relations;  ///< `table x` or `view x`, inline only
    bool halted = false;
    std::string last_error;
    EventId store;  ///< the store's identity
};

/// A row of `daybook_rebuild`: a rebuild that is under way or was left unfinished. It belongs to
/// the holder of a lease (see RebuildLease).
struct RebuildRow {
    std::string name;
    Lifecycle lifecycle = Lifecycle::async;
    int version = 0;
    std::string fingerprint;
    std::int64_t build = 0;
    std::string owner;  ///< of the lease; empty if it was released
    Position position;
    Position target;
    Timestamp started_at;
    Timestamp updated_at;
    std::string error;
};

/// The fingerprint of a definition as it reads the log of `store`: its shape, in which, if the
/// store has upcasters, each event is replaced by the stored events that are upcast to it. If it
/// changes, the model would have other rows.
std::string definition_fingerprint(const EventStore& store, const ProjectionShape& shape);

/// A projection as this program defines it.
struct DefinedProjection {
    const ProjectionShape& shape;
    Lifecycle lifecycle;
    std::string fingerprint;
};

/// How the model in service compares with the definition of this program.
enum class DefinitionMatch {
    current,     ///< made by the same definition
    outdated,    ///< made by another definition, of no higher version
    superseded,  ///< made by a definition of a higher version
};
DefinitionMatch compare(const ProjectionRow& row, const DefinedProjection& defined);
/// What differs, as a text for logs and errors.
std::string difference(const ProjectionRow& row, const DefinedProjection& defined);

/// `<name>.v<version>.b<build>`, of the build in service.
std::string database_name(const ProjectionRow& row);
/// Of the build that is under way.
std::string database_name(const RebuildRow& row);
/// Of the first build of a projection.
std::string first_database_name(const ProjectionShape& shape);

/// The tables `daybook_projection` and `daybook_rebuild` of the store's own database. Every method
/// works inside the transaction that the caller has open on `sql`. Cheap to construct.
class Registry {
public:
    /// `clock` dates the rows. Pass the engine's clock, which those who share the store agree on.
    explicit Registry(Sql& sql, const Clock& clock = SystemClock::instance()) noexcept
        : sql_(sql), clock_(clock) {}

    std::optional<ProjectionRow> find(std::string_view name);
    std::vector<ProjectionRow> list();
    /// Inserts the row of a new projection, with build 1 in service. Does nothing if there is one.
    void insert(const DefinedProjection& defined, const std::vector<std::string>& relations);
    /// Does nothing if another build than `row.build` is in service by now.
    void set_halted(const ProjectionRow& row, bool halted, std::string_view error);

    std::optional<RebuildRow> find_rebuild(std::string_view name);
    std::vector<RebuildRow> list_rebuilds();
    // REQUIRES: the caller holds the lease of the rebuild, and has found that out in the same
    // transaction.

    /// Writes `claim` over the row of any earlier claim, and reserves its build number.
    void claim(const RebuildRow& claim);
    void record_progress(std::string_view name, Position position, Position target);
    /// Why the rebuild is left unfinished.
    void record_error(std::string_view name, std::string_view error);
    /// Puts the build of `claim` in service and ends the rebuild.
    void switch_over(const RebuildRow& claim, const std::vector<std::string>& relations);

private:
    Sql& sql_;
    const Clock& clock_;
};

/// Removes a database that no row of the registry names any more. A failure is logged, and
/// `remove_orphans` tries again.
void remove_leftover(const EventStore& store, const std::string& database) noexcept;

/// Removes the databases that a crash has left behind: those of projections of this store that
/// neither the build in service nor a rebuild uses. Databases of projections that the registry
/// does not contain stay.
void remove_orphans(const EventStore& store);

}  // namespace daybook::detail
