#pragma once

#include <daybook/core/core.hpp>
#include <daybook/eventstore/eventstore.hpp>
#include <daybook/messaging/messaging.hpp>
#include <daybook/projections/projections.hpp>
#include <daybook/sagas/sagas.hpp>
#include <daybook/schema/schema.hpp>
