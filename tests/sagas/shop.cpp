#include "shop.hpp"

namespace daybook::test {

namespace {

template <class Success>
void mumble(Transaction& tx, const Message& command) {
    PublishOptions options;
    options.key = command.key;
    options.headers = command.headers;
    tx.publish({command.reply_to, Success::type, "{\"order\":17}", options});
}

template <class Command, class Success, class Failure, class Busy>
void participate(Consumer consumer, const Temper& temper) {
    consumer.on<Command>([temper](const Command& command, const Message& message, Transaction& tx) {
        const std::string name{Command::type.name};
        const Does does = temper(message, command.order);
        if (does == Does::succeed || does == Does::hide || does == Does::mumble)
            tx.append("effects-" + command.order, any, {Effect{command.order, name}});
        if (does == Does::succeed) reply(tx, message, Success{command.order, "for " + name});
        if (does == Does::fail) reply(tx, message, Failure{command.order, "no"});
        if (does == Does::be_busy) reply(tx, message, Busy{command.order, "later"});
        if (does == Does::mumble) mumble<Success>(tx, message);
    });
}

}  // namespace

void open_shop(LocalTransport& transport, const Temper& temper) {
    const Consumer stock = transport.consumer("stock");
    participate<ReserveStock, StockReserved, StockRefused, StockBusy>(stock, temper);
    participate<ReleaseStock, StockReleased, StockNotReleased, StockReleaseBusy>(stock, temper);
    const Consumer credit = transport.consumer("credit");
    participate<HoldCredit, CreditHeld, CreditRefused, CreditBusy>(credit, temper);
    participate<FreeCredit, CreditFreed, CreditNotFreed, CreditFreeBusy>(credit, temper);
    participate<Charge, Charged, PaymentDeclined, PaymentBusy>(transport.consumer("payment"),
                                                               temper);
    participate<Ship, Shipped, ShipmentFailed, ShipmentBusy>(transport.consumer("shipping"),
                                                             temper);
    transport.consumer("orders").on<OrderEnded>([](const OrderEnded& end, Transaction& tx) {
        tx.append("ends-" + end.order, any, {Effect{end.order, end.detail}});
    });
}

}  // namespace daybook::test
