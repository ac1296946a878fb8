#include "daybook/messaging/transport.hpp"

namespace daybook {

bool Transport::takes(const Message&) const { return true; }

}  // namespace daybook
