package dev.kvshift.migrate;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Layout;
import dev.kvshift.api.ShardRule;
import dev.kvshift.embedded.KafkaBroker;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.util.UUID;

/** Two in-memory stores and a plan from the one to the other. */
final class Sides implements AutoCloseable {
  static final String COLLECTION = "files";
  static final Layout LAYOUT = Layout.range(new ShardRule.None());

  final Store source;
  final Store target;
  final StoreCollection from;

  Sides() {
    String name = UUID.randomUUID().toString();
    source = MemoryStoreProvider.open("source-" + name);
    target = MemoryStoreProvider.open("target-" + name);
    from = Await.of(source.open(COLLECTION, LAYOUT, Claim.ACTIVE));
  }

  MigrationPlan plan() {
    return plan(KafkaBroker.shared());
  }

  MigrationPlan plan(KafkaBroker broker) {
    return plan(broker, options(Duration.ofSeconds(10)));
  }

  MigrationPlan plan(KafkaBroker broker, MigrationOptions options) {
    return new MigrationPlan(
        COLLECTION, LAYOUT, source, target, broker.bootstrapServers(), options);
  }

  static MigrationOptions options(Duration fenceLifetime) {
    MigrationOptions defaults = MigrationOptions.defaults();
    return new MigrationOptions(
        4,
        -1,
        defaults.topicRetention(),
        16,
        2,
        64,
        100,
        10,
        100,
        10,
        fenceLifetime,
        Duration.ofSeconds(30));
  }

  /** Returns the target's collection, which must be there. */
  StoreCollection to() {
    return Await.of(target.open(COLLECTION, LAYOUT, Claim.NONE));
  }

  void fill(int rows) {
    for (int i = 0; i < rows; i++) {
      put(key(i), "value-" + i);
    }
  }

  void put(StoreKey key, String value) {
    Await.of(from.write(key, Mutation.put(Bytes.utf8(value)), call()));
  }

  void delete(StoreKey key) {
    Await.of(from.write(key, Mutation.delete(), call()));
  }

  static StoreKey key(int number) {
    return StoreKey.of(Bytes.utf8("row-" + number % 100), Bytes.utf8("key-" + number));
  }

  static Call call() {
    return Call.within(Duration.ofSeconds(10));
  }

  @Override
  public void close() {
    source.close();
    target.close();
  }
}
