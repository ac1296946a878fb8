#include "engine/postgres/model_move.hpp"

#include <string_view>

#include "daybook/core/error.hpp"

namespace daybook::postgres {

namespace {

// Every object in a schema depends on the schema. An object that is a part of another (the sequence
// of a column, the row type of a table) moves with it and is not listed.
constexpr std::string_view objects_in_schema = R"(
WITH given AS (SELECT ?::text AS name)
SELECT upper(CASE thing.type WHEN 'statistics object' THEN 'statistics' ELSE thing.type END),
       thing.identity, pg_catalog.quote_ident((SELECT name FROM given)) || '.'
FROM pg_catalog.pg_depend d
CROSS JOIN LATERAL pg_catalog.pg_identify_object(d.classid, d.objid, 0) thing
WHERE d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
  AND d.refobjid = pg_catalog.to_regnamespace(pg_catalog.quote_ident((SELECT name FROM given)))
  AND d.deptype = 'n'
  AND NOT pg_catalog.starts_with(coalesce(thing.name, ''), 'daybook_')
  AND NOT EXISTS(
      SELECT 1 FROM pg_catalog.pg_depend part
      WHERE part.classid = d.classid AND part.objid = d.objid AND part.objsubid = 0
        AND (part.deptype = 'i' OR part.deptype = 'a' AND thing.type = 'sequence'))
ORDER BY 1, 2)";

constexpr std::string_view left_in_schema = R"(
WITH given AS (SELECT ?::text AS name)
SELECT pg_catalog.pg_describe_object(d.classid, d.objid, 0)
FROM pg_catalog.pg_depend d
CROSS JOIN LATERAL pg_catalog.pg_identify_object(d.classid, d.objid, 0) thing
WHERE d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
  AND d.refobjid = pg_catalog.to_regnamespace(pg_catalog.quote_ident((SELECT name FROM given)))
  AND NOT pg_catalog.starts_with(coalesce(thing.name, ''), 'daybook_')
LIMIT 1)";

// An object outside of the schema that depends on one in it: a view, or a key, default, trigger or
// column of a table, or a function.
constexpr std::string_view dependents_elsewhere = R"(
WITH given AS (SELECT ?::text AS name), here AS (
    SELECT pg_catalog.to_regnamespace(pg_catalog.quote_ident(given.name))::oid AS schema
    FROM given
), thing AS (
    SELECT 'pg_catalog.pg_class'::pg_catalog.regclass::oid AS class, c.oid
    FROM pg_catalog.pg_class c, here WHERE c.relnamespace = here.schema
    UNION ALL SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass, p.oid
    FROM pg_catalog.pg_proc p, here WHERE p.pronamespace = here.schema
    UNION ALL SELECT 'pg_catalog.pg_type'::pg_catalog.regclass, t.oid
    FROM pg_catalog.pg_type t, here WHERE t.typnamespace = here.schema
), dependent AS (
    SELECT d.classid::pg_catalog.regclass AS class, d.objid, d.objsubid
    FROM thing JOIN pg_catalog.pg_depend d ON d.refclassid = thing.class AND d.refobjid = thing.oid
    WHERE d.deptype = 'n'
)
SELECT pg_catalog.pg_describe_object(d.class, d.objid, d.objsubid)
FROM dependent d
LEFT JOIN pg_catalog.pg_rewrite r ON d.class = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
                                 AND r.oid = d.objid
LEFT JOIN pg_catalog.pg_constraint k ON d.class = 'pg_catalog.pg_constraint'::pg_catalog.regclass
                                    AND k.oid = d.objid
LEFT JOIN pg_catalog.pg_trigger t ON d.class = 'pg_catalog.pg_trigger'::pg_catalog.regclass
                                 AND t.oid = d.objid
LEFT JOIN pg_catalog.pg_attrdef a ON d.class = 'pg_catalog.pg_attrdef'::pg_catalog.regclass
                                 AND a.oid = d.objid
LEFT JOIN pg_catalog.pg_class c
       ON c.oid = coalesce(r.ev_class, nullif(k.conrelid, 0), t.tgrelid, a.adrelid,
                           CASE WHEN d.class = 'pg_catalog.pg_class'::pg_catalog.regclass
                                THEN d.objid END)
LEFT JOIN pg_catalog.pg_proc p ON d.class = 'pg_catalog.pg_proc'::pg_catalog.regclass
                              AND p.oid = d.objid
CROSS JOIN here
WHERE c.relnamespace <> here.schema OR p.pronamespace <> here.schema
LIMIT 1)";

// A row of the catalog that this transaction has written has the transaction's id as its xmin.
constexpr std::string_view objects_made_outside = R"(
WITH given AS (SELECT ?::text AS name), here AS (
    SELECT pg_catalog.to_regnamespace(pg_catalog.quote_ident(given.name))::oid AS schema,
           pg_catalog.pg_current_xact_id()::xid AS number
    FROM given
), made AS (
    SELECT 'pg_catalog.pg_class'::pg_catalog.regclass AS class, c.oid
    FROM pg_catalog.pg_class c, here
    WHERE c.xmin = here.number AND c.relnamespace <> here.schema
      AND NOT pg_catalog.starts_with(c.relnamespace::pg_catalog.regnamespace::text, 'pg_toast')
    UNION ALL SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass, p.oid
    FROM pg_catalog.pg_proc p, here
    WHERE p.xmin = here.number AND p.pronamespace <> here.schema
    UNION ALL SELECT 'pg_catalog.pg_namespace'::pg_catalog.regclass, n.oid
    FROM pg_catalog.pg_namespace n, here WHERE n.xmin = here.number AND n.oid <> here.schema
    UNION ALL SELECT 'pg_catalog.pg_extension'::pg_catalog.regclass, e.oid
    FROM pg_catalog.pg_extension e, here WHERE e.xmin = here.number
)
SELECT pg_catalog.pg_describe_object(made.class, made.oid, 0) FROM made LIMIT 1)";

std::string without(std::string text, std::string_view part) {
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at)) {
        text.erase(at, part.size());
    }
    return text;
}

/// Throws InvalidError if an object elsewhere depends on one in `schema`: DROP ... CASCADE would
/// drop it as well.
void refuse_dependents(const std::string& schema, Sql& store) {
    if (const auto found = store.text(dependents_elsewhere, schema)) {
        throw InvalidError("the read model cannot be replaced because " + *found +
                           " depends on it: drop that first and make it again afterwards");
    }
}

}  // namespace

std::vector<std::string> move_model(const ModelMove& move, Sql& store) {
    std::vector<std::string> objects;
    std::string moves;
    store.each(
        objects_in_schema,
        [&](const SqlRow& row) {
            const std::string kind{row.text(0)};
            const std::string identity{row.text(1)};
            if (identity.find('\n') != std::string::npos) {
                throw InvalidError("'" + identity +
                                   "' has a line break in its name: choose another name");
            }
            moves += "ALTER " + kind + " " + identity + " SET SCHEMA " + quoted_name(move.to) + ";";
            objects.push_back(kind + " " + without(identity, row.text(2)));
        },
        move.from);
    if (!moves.empty()) store.script(moves);
    if (const auto left = store.text(left_in_schema, move.from)) {
        throw InvalidError(*left +
                           " cannot be moved into the store's schema: use it in an async "
                           "projection, or do without");
    }
    return objects;
}

void drop_model(const std::vector<std::string>& objects, const ModelMove& move, Sql& store) {
    if (objects.empty()) return;
    const std::string trash_schema = quoted_name(move.to);
    std::string moves = "CREATE SCHEMA " + trash_schema + ";";
    for (const std::string& object : objects) {
        // `MATERIALIZED VIEW totals`, `FUNCTION f(bigint)`: the kind is in capitals, the name is
        // not.
        const std::size_t name = object.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ ");
        const std::string kind = object.substr(0, name);
        const bool is_relation =
            kind.ends_with("TABLE ") || kind.ends_with("VIEW ") || kind == "SEQUENCE ";
        // ALTER of the other kinds does not take IF EXISTS.
        moves += "ALTER " + kind + (is_relation ? "IF EXISTS " : "") + quoted_name(move.from) +
                 "." + object.substr(name) + " SET SCHEMA " + trash_schema + ";";
    }
    store.script(moves);
    refuse_dependents(move.to, store);
    store.script("DROP SCHEMA " + trash_schema + " CASCADE");
}

std::string made_outside(const std::string& schema, Sql& model) {
    return model.text(objects_made_outside, schema).value_or("");
}

}  // namespace daybook::postgres
