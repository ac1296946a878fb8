#include "append_stores.hpp"

namespace bench {

// An empty log flatters everybody: its index fits into one page.

AppendStores::AppendStores(const Scratch& scratch, bool quick)
    : floor(sample, scratch.file("append-floor.db")), ours(scratch.file("append-ours.db"), sample) {
    const std::size_t batches = quick ? 20 : 200;
    for (std::size_t i = 0; i < batches; ++i) {
        floor.log.append(floor.next_of_many(1000));
        ours.scatter(1000);
    }
}

PostgresAppendStores::PostgresAppendStores(const PostgresServer& server, bool quick)
    : floor(sample, server.uri(), server.schema(floor_schema), PostgresFloor::Schema::make),
      ours(server.store_uri("append-ours"), sample) {
    const std::size_t batches = quick ? 2'000 : 20'000;
    for (std::size_t i = 0; i < batches; ++i) {
        floor.log.append(floor.next_of_one(10));
        ours.append(10);
    }
}

}  // namespace bench
