#include "sample.hpp"

#include <random>

#include "case.hpp"

namespace bench {

namespace {

constexpr std::size_t sample_events = 4096;
constexpr std::string_view metadata = R"({"user":"u-1042"})";

std::string text_of(std::mt19937_64& random, std::size_t letters) {
    static constexpr std::string_view alphabet = "abcdefghijklmnopqrstuvwxyz0123456789";
    std::string text;
    while (letters-- > 0) text += alphabet[random() % alphabet.size()];
    return text;
}

std::string json_of(const Booked& event) {
    return R"({"reference":")" + event.reference + R"(","counterparty":")" + event.counterparty +
           R"(","cents":)" + std::to_string(event.cents) + R"(,"currency":")" + event.currency +
           R"(","day":)" + std::to_string(event.day) + R"(,"card":)" +
           (event.card ? "true" : "false") + R"(,"purpose":")" + event.purpose + "\"}";
}

Booked make(std::mt19937_64& random) {
    static const std::string currencies[] = {"EUR", "USD", "CHF"};
    Booked event;
    event.reference = text_of(random, 16);
    event.counterparty = "account-" + std::to_string(random() % 1'000'000);
    event.cents = static_cast<std::int64_t>(random() % 1'000'000) - 250'000;
    event.currency = currencies[random() % 3];
    event.day = static_cast<std::int64_t>(16'000 + random() % 4'000);
    event.card = random() % 2 == 0;
    const auto bytes = json_of(event).size();
    event.purpose = text_of(random, Sample::payload_bytes - bytes);
    return event;
}

}  // namespace

Sample::Sample() {
    std::mt19937_64 random{7};
    for (std::size_t i = 0; i < sample_events; ++i) {
        events_.push_back(make(random));
        texts_.push_back(json_of(events_.back()));
        std::string encoded;
        daybook::Codec<Booked>::encode(events_.back(), encoded);
        // Both sides must store the same bytes.
        if (encoded != texts_.back() || encoded.size() != payload_bytes)
            throw WrongResult{"a payload is not as expected: " + encoded};
        ids_.push_back(daybook::EventId::generate());
    }
}

daybook::NewEvent Sample::new_event(std::size_t index) const {
    daybook::NewEvent made{event(index)};
    made.metadata = metadata;
    made.trace.correlation = ids_[index % ids_.size()];
    return made;
}

floor_event Sample::raw_event(std::size_t index, std::size_t stream, std::int64_t version) const {
    const auto& json = texts_[index % texts_.size()];
    const void* const id = ids_[index % ids_.size()].bytes().data();
    constexpr std::int64_t some_instant = 1'750'000'000'000'000;
    return {static_cast<std::int64_t>(stream),
            version,
            1,
            some_instant,
            id,
            id,
            json.data(),
            json.size(),
            metadata.data(),
            metadata.size()};
}

}  // namespace bench
