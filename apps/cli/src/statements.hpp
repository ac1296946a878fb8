#pragma once

// What the commands ask of the store's own tables, for which the libraries have no question.

namespace daybook::command::sql {

/// Names after one name, in their order: a page of the streams.
inline constexpr auto streams_after =
    "SELECT name FROM stream WHERE name > ? ORDER BY name LIMIT ?";
inline constexpr auto streams_of_category_after =
    "SELECT s.name FROM stream s JOIN category c ON c.id = s.category "
    "WHERE s.name > ? AND c.name = ? ORDER BY s.name LIMIT ?";

inline constexpr auto count_streams = "SELECT COUNT(*) FROM stream";
inline constexpr auto count_categories = "SELECT COUNT(*) FROM category";
inline constexpr auto count_types = "SELECT COUNT(*) FROM event_type";

}  // namespace daybook::command::sql
