-- The streams and the event types of a group of appends, each named once. Other columns point at
-- them by their place, from 1.
CREATE TYPE daybook_append_names AS (
    streams       text[],
    categories    text[],    -- of the streams
    types         text[],
    type_versions integer[]
);
