#include "append_stores.hpp"

namespace bench {

// The logs are filled first: the index of an empty log fits into one page, which flatters both
// sides.

AppendStores::AppendStores(const Scratch& scratch, bool quick)
    : floor(sample, scratch.file("append-floor.db")),
      daybook(scratch.file("append-daybook.db"), sample) {
    const std::size_t batches = quick ? 20 : 200;
    for (std::size_t i = 0; i < batches; ++i) {
        floor.log.append(floor.next_of_many(1000));
        daybook.scatter(1000);
    }
}

PostgresAppendStores::PostgresAppendStores(const PostgresServer& server, bool quick)
    : floor(sample, server.uri(), server.schema(floor_schema), PostgresFloor::Schema::make),
      daybook(server.store_uri("append-daybook"), sample) {
    const std::size_t batches = quick ? 2'000 : 20'000;
    for (std::size_t i = 0; i < batches; ++i) {
        floor.log.append(floor.next_of_one(10));
        daybook.append(10);
    }
}

}  // namespace bench
