#pragma once

#include "daybook/core/backoff.hpp"
#include "daybook/core/clean_text.hpp"
#include "daybook/core/clock.hpp"
#include "daybook/core/conflict_error.hpp"
#include "daybook/core/denied_error.hpp"
#include "daybook/core/error.hpp"
#include "daybook/core/event_id.hpp"
#include "daybook/core/expected_version.hpp"
#include "daybook/core/fingerprint.hpp"
#include "daybook/core/log.hpp"
#include "daybook/core/ordinal.hpp"
#include "daybook/core/stream_name.hpp"
