package dev.kvshift.bench.runner;

import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.migrate.api.MigrationOptions;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.testkit.concurrent.Await;
import java.util.UUID;

/**
 * A collection that is migrated once, from a store in memory, whose speed is not in question, to
 * the node. Closing it frees the source and leaves the target, which the next trial does not use.
 */
final class Trial implements AutoCloseable {
  final String name = "trial-" + UUID.randomUUID().toString().substring(0, 8);
  final StoreCollection from;
  final MigrationPlan plan;
  private final Store source;

  Trial(RunnerBench.Servers servers, Store target, Rows rows, MigrationOptions options) {
    source = MemoryStoreProvider.open(name);
    from = Await.join(source.open(name, rows.layout(), Claim.ACTIVE));
    plan =
        MigrationPlan.builder(name, rows.layout())
            .source(source)
            .target(target)
            .bootstrapServers(servers.broker().bootstrapServers())
            .options(options)
            .build();
  }

  /** Returns the target's collection, to read what was imported. */
  StoreCollection to() {
    return Await.join(plan.target().open(name, plan.layout(), Claim.NONE));
  }

  @Override
  public void close() {
    source.close();
  }
}
