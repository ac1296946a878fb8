#include "shop.hpp"

namespace daybook::test {

namespace {

template <class Success>
void send_unreadable_reply(Transaction& tx, const Message& command) {
    PublishOptions options;
    options.key = command.key;
    options.headers = command.headers;
    tx.publish({command.reply_to, Success::type, "{\"order\":17}", options});
}

template <class Command, class Success, class Failure, class Busy>
void participate(Consumer consumer, const Responder& responder) {
    consumer.on<Command>(
        [responder](const Command& command, const Message& message, Transaction& tx) {
            const std::string name{Command::type.name};
            const Response response = responder(message, command.order);
            if (response == Response::success || response == Response::lost_reply ||
                response == Response::unreadable_reply)
                tx.append("effects-" + command.order, any_version, {Effect{command.order, name}});
            if (response == Response::success)
                reply(tx, message, Success{command.order, "for " + name});
            if (response == Response::failure) reply(tx, message, Failure{command.order, "no"});
            if (response == Response::busy) reply(tx, message, Busy{command.order, "later"});
            if (response == Response::unreadable_reply) send_unreadable_reply<Success>(tx, message);
        });
}

}  // namespace

void open_shop(LocalTransport& transport, const Responder& responder) {
    const Consumer stock = transport.consumer("stock");
    participate<ReserveStock, StockReserved, StockRefused, StockBusy>(stock, responder);
    participate<ReleaseStock, StockReleased, StockNotReleased, StockReleaseBusy>(stock, responder);
    const Consumer credit = transport.consumer("credit");
    participate<HoldCredit, CreditHeld, CreditRefused, CreditBusy>(credit, responder);
    participate<FreeCredit, CreditFreed, CreditNotFreed, CreditFreeBusy>(credit, responder);
    participate<Charge, Charged, PaymentDeclined, PaymentBusy>(transport.consumer("payment"),
                                                               responder);
    participate<Ship, Shipped, ShipmentFailed, ShipmentBusy>(transport.consumer("shipping"),
                                                             responder);
    transport.consumer("orders").on<OrderEnded>([](const OrderEnded& end, Transaction& tx) {
        tx.append("ends-" + end.order, any_version, {Effect{end.order, end.detail}});
    });
}

}  // namespace daybook::test
