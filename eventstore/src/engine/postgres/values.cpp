#include "engine/postgres/values.hpp"

#include <charconv>

namespace daybook::postgres {

namespace {

constexpr int as_text = 0;
constexpr int as_binary = 1;

}  // namespace

Parameters& Parameters::add(Slot slot, std::size_t size, Oid type, int format) {
    slots_.push_back(slot);
    lengths_.push_back(static_cast<int>(size));
    types_.push_back(type);
    formats_.push_back(format);
    return *this;
}

Parameters& Parameters::add_own(std::string_view value, Oid type, int format) {
    const std::size_t at = own_.size();
    own_ += value;
    own_ += '\0';
    return add(Slot{nullptr, at, false}, value.size(), type, format);
}

Parameters& Parameters::add(std::int64_t value) {
    std::string bytes;
    put_integer(bytes, value);
    return add_own(bytes, type::int8, as_binary);
}

Parameters& Parameters::add_binary(std::string_view value, Oid type) {
    return add(Slot{value.data() == nullptr ? "" : value.data(), 0, false}, value.size(), type,
               as_binary);
}

Parameters& Parameters::add(const EventId& id) {
    return add_own({reinterpret_cast<const char*>(id.bytes().data()), EventId::size}, type::uuid,
                   as_binary);
}

Parameters& Parameters::add(const SqlValue& value) {
    const auto& data = value.data();
    char number[64];
    const auto written = [&](auto figure) {
        const auto end = std::to_chars(number, number + sizeof number, figure).ptr;
        return std::string_view{number, static_cast<std::size_t>(end - number)};
    };
    if (const auto* integer = std::get_if<std::int64_t>(&data)) {
        return add_own(written(*integer), type::int8, as_text);
    }
    if (const auto* real = std::get_if<double>(&data)) {
        return add_own(written(*real), type::float8, as_text);
    }
    if (const auto* text = std::get_if<std::string_view>(&data)) {
        // As text, because the inferred type may be anything that has a text form.
        return add_own(*text, type::any, as_text);
    }
    if (const auto* bytes = std::get_if<SqlValue::Bytes>(&data)) {
        return add_binary({reinterpret_cast<const char*>(bytes->data()), bytes->size()}, type::any);
    }
    return add(Slot{nullptr, 0, true}, 0, type::any, as_text);
}

const char* const* Parameters::values() {
    values_.clear();
    for (const Slot& slot : slots_) {
        if (slot.null) {
            values_.push_back(nullptr);
        } else {
            values_.push_back(slot.borrowed != nullptr ? slot.borrowed : own_.data() + slot.own);
        }
    }
    return values_.data();
}

}  // namespace daybook::postgres
