#pragma once

// What the commands ask of the store's own tables, for which the libraries have no question.

namespace daybook::command::sql {

/// Names after one name, in their order: a page of the streams.
inline constexpr auto streams_after =
    "SELECT name FROM daybook_stream WHERE name > ? ORDER BY name LIMIT ?";
inline constexpr auto streams_of_category_after =
    "SELECT s.name FROM daybook_stream s JOIN daybook_category c ON c.id = s.category "
    "WHERE s.name > ? AND c.name = ? ORDER BY s.name LIMIT ?";

inline constexpr auto count_streams = "SELECT COUNT(*) FROM daybook_stream";
inline constexpr auto count_categories = "SELECT COUNT(*) FROM daybook_category";
inline constexpr auto count_types = "SELECT COUNT(*) FROM daybook_event_type";

}  // namespace daybook::command::sql
