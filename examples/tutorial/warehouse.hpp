#pragma once

#include <string>

#include <daybook/daybook.hpp>

namespace shop {

/// A message: it asks the warehouse for something.
struct PackParcel {
    static constexpr daybook::EventType type{"pack-parcel", 1};
    std::string order;

    static constexpr auto fields() { return daybook::fields("order", &PackParcel::order); }
};

/// An event: the warehouse has done it.
struct ParcelPacked {
    static constexpr daybook::EventType type{"parcel.packed", 1};
    std::string order;

    static constexpr auto fields() { return daybook::fields("order", &ParcelPacked::order); }
};

struct UnpackParcel {
    static constexpr daybook::EventType type{"unpack-parcel", 1};
    std::string order;

    static constexpr auto fields() { return daybook::fields("order", &UnpackParcel::order); }
};

struct ParcelUnpacked {
    static constexpr daybook::EventType type{"parcel.unpacked", 1};
    std::string order;

    static constexpr auto fields() { return daybook::fields("order", &ParcelUnpacked::order); }
};

/// Gives the warehouse its handlers. All that a handler does commits together with the inbox mark
/// of its message.
inline void open_warehouse(daybook::LocalTransport& transport) {
    using daybook::Message;
    using daybook::Transaction;
    transport.consumer("warehouse")
        .on<PackParcel>([](const PackParcel& wish, const Message& message, Transaction& tx) {
            const ParcelPacked packed{wish.order};
            tx.append("parcel-of-" + wish.order, daybook::any_version, {packed});
            daybook::reply(tx, message, packed);  // if the sender has asked for an answer
        })
        .on<UnpackParcel>([](const UnpackParcel& wish, const Message& message, Transaction& tx) {
            const ParcelUnpacked unpacked{wish.order};
            tx.append("parcel-of-" + wish.order, daybook::any_version, {unpacked});
            daybook::reply(tx, message, unpacked);
        });
}

}  // namespace shop
