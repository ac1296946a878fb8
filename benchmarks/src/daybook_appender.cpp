#include "daybook_appender.hpp"

#include <deque>
#include <future>

#include "case.hpp"

namespace bench {

namespace {

std::vector<daybook::StreamName> account_names(std::size_t count) {
    std::vector<daybook::StreamName> names;
    for (std::size_t i = 0; i < count; ++i) names.emplace_back("account-" + std::to_string(i));
    return names;
}

}  // namespace

DaybookAppender::DaybookAppender(const std::string& uri, const Sample& sample)
    : sample_(sample),
      store_(daybook::EventStore::open(uri)),
      names_(account_names(append_streams)) {}

void DaybookAppender::append(std::size_t per_call) {
    const auto stream = random_() % append_streams;
    batch_.clear();
    for (std::size_t i = 0; i < per_call; ++i)
        batch_.push_back(sample_.new_event(static_cast<std::size_t>(events_++)));
    auto& version = versions_[stream];
    const auto done = store_.append(names_[stream], daybook::at_version(version), batch_);
    version += per_call;
    check_equal("version after an append", done.version.value(), version);
}

void DaybookAppender::scatter(std::size_t per_call) {
    store_.transact([&](daybook::Transaction& tx) {
        for (std::size_t i = 0; i < per_call; ++i) {
            const auto stream = random_() % append_streams;
            const auto event = sample_.new_event(static_cast<std::size_t>(events_++));
            auto& version = versions_[stream];
            tx.append(names_[stream], daybook::at_version(version), {&event, 1});
            ++version;
        }
    });
}

void DaybookAppender::append_to(std::size_t stream, std::size_t event_index) {
    const auto event = sample_.new_event(event_index);
    auto& version = versions_[stream];
    const auto done =
        store_.append(names_[stream], daybook::at_version(version), std::span{&event, 1});
    check_equal("version after an append", done.version.value(), ++version);
}

CompletedCalls DaybookAppender::keep_outstanding(std::size_t outstanding,
                                                 std::chrono::milliseconds time) {
    struct Append {
        std::future<daybook::AppendResult> done;
        std::uint64_t version;
    };
    std::deque<Append> appends;
    CompletedCalls completed;
    const auto take_oldest = [&] {
        check_equal("version after an append", appends.front().done.get().version.value(),
                    appends.front().version);
        appends.pop_front();
        ++completed.calls;
    };
    const auto start = Stopwatch::now();
    while (seconds_since(start) < std::chrono::duration<double>(time).count()) {
        if (appends.size() == outstanding) take_oldest();
        const auto stream = random_() % append_streams;
        const auto expected = daybook::at_version(versions_[stream]);
        std::vector<daybook::NewEvent> events;
        events.push_back(sample_.new_event(random_()));
        appends.push_back({store_.append_async(names_[stream], expected, std::move(events)),
                           ++versions_[stream]});
    }
    while (!appends.empty()) take_oldest();
    completed.seconds = seconds_since(start);
    events_ += completed.calls;
    return completed;
}

void DaybookAppender::check() const {
    check_equal("head of the store", store_.head().value(), events_);
    std::uint64_t events = 0;
    std::uint64_t bytes = 0;
    for (const daybook::EventView event : store_.read_all()) {
        check_equal("position", event.position().value(), ++events);
        bytes += event.data().size();
    }
    check_equal("events of the store", events, events_);
    check_equal("bytes of the store", bytes, events * Sample::payload_bytes);
    for (std::size_t i = 0; i < append_streams; i += 97)
        check_equal("version of " + names_[i].str(), store_.version(names_[i]).value(),
                    versions_[i]);
}

}  // namespace bench
