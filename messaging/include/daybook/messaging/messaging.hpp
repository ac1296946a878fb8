#pragma once

#include "daybook/messaging/bus.hpp"
#include "daybook/messaging/bus_transport.hpp"
#include "daybook/messaging/consumer.hpp"
#include "daybook/messaging/dead_letters.hpp"
#include "daybook/messaging/inbox.hpp"
#include "daybook/messaging/local_transport.hpp"
#include "daybook/messaging/message.hpp"
#include "daybook/messaging/outbox.hpp"
#include "daybook/messaging/relay.hpp"
#include "daybook/messaging/reply.hpp"
#include "daybook/messaging/transport.hpp"
