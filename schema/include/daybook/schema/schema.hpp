#pragma once

#include "daybook/schema/codec.hpp"
#include "daybook/schema/event_catalog.hpp"
#include "daybook/schema/event_type.hpp"
#include "daybook/schema/field_codec.hpp"
#include "daybook/schema/fields.hpp"
#include "daybook/schema/is_json.hpp"
#include "daybook/schema/json_reader.hpp"
#include "daybook/schema/json_writer.hpp"
