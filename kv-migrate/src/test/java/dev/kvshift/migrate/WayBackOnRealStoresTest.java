package dev.kvshift.migrate;

import static dev.kvshift.testkit.concurrent.Await.join;
import static dev.kvshift.testkit.concurrent.Await.until;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.ShardRule;
import dev.kvshift.embedded.CassandraNode;
import dev.kvshift.embedded.ForkedLegacyServer;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.Way;
import dev.kvshift.migrate.internal.host.Reset;
import dev.kvshift.model.Stores;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Gate.State;
import dev.kvshift.spi.Phase;
import dev.kvshift.testkit.oracle.RegisterHistory;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/**
 * A move, writes that the new store takes alone, the way back, and a second move for good, with
 * real servers: the legacy server, a broker and a CQL node, and three services that work
 * throughout. The old store stands still for a while after the move.
 */
final class WayBackOnRealStoresTest {
  private static final long SEED = Long.getLong("kvshift.seed", 11);
  private static final int ROWS = 500;
  private static final int SERVICES = 3;
  private static final int OPERATIONS = 200;
  private static final int JOURNAL_KEYS = 50;
  private static final Layout LAYOUT = Layout.range(ShardRule.firstBits(4));

  private final RegisterHistory history = new RegisterHistory();
  private final AtomicBoolean ended = new AtomicBoolean();
  private final AtomicInteger journalWrites = new AtomicInteger();
  private final List<Map<Key, Optional<Bytes>>> journals = new ArrayList<>();
  private final List<KvStore> services = new ArrayList<>();
  private final List<CompletableFuture<Void>> clients = new ArrayList<>();

  @Test
  void moveBackAndMoveAgain_underLoad_losesNothing() throws Exception {
    CassandraNode node = CassandraNode.shared();
    String target = RealStoresTest.target(node, "way_back", node.datacenter()) + "&deletes=kept";
    try (ForkedLegacyServer legacy = ForkedLegacyServer.start();
        Sides sides =
            new Sides(LAYOUT, Stores.open(legacy.connectionString()), Stores.open(target))) {
      try {
        sides.fill(ROWS);
        sides.run(Migration::prepare);
        for (int service = 0; service < SERVICES; service++) {
          work("service-" + service, legacy.connectionString(), target);
        }
        awaitWork();
        sides.run(
            migration -> {
              assertThat(migration.approach(Way.FENCE)).isFalse();
              migration.keepWayBack();
              migration.cutover();
            });
        State moved = join(sides.from.gate().state());
        assertThat(moved.phase()).isEqualTo(Phase.NEW_PRIMARY);
        assertThat(moved.isClockOrdered()).isTrue();
        awaitWork();
        legacy.pause();
        awaitWork();
        legacy.resume();
        sides.run(
            migration ->
                assertThatThrownBy(() -> migration.step(Phase.LEGACY))
                    .isInstanceOf(MigrationException.CutoverRefused.class)
                    .hasMessageContaining("finish or rollback"));
        sides.run(migration -> assertThat(migration.approach(Way.FENCE)).isTrue());
        sides.run(
            migration -> {
              assertThat(migration.goBack()).isNotNull();
              assertThat(migration.goBack()).isNull();
            });
        State led = join(sides.from.gate().state());
        assertThat(led.phase()).isEqualTo(Phase.LEGACY);
        assertThat(led.isLed()).isTrue();
        awaitWork();
        new Reset(sides.plan(), Clock.systemUTC()).run(false);
        sides.run(
            migration -> {
              migration.approach(Way.DUAL_WRITE);
              migration.keepWayBack();
              migration.cutover();
            });
        awaitWork();
        sides.run(Migration::endWayBack);
        awaitWork();
        CollectionRecord record =
            join(CollectionRecord.read(sides.target.metadata(), Sides.COLLECTION));
        assertThat(record.isHandedOver()).isTrue();
        assertThat(join(sides.from.gate().state()).phase()).isEqualTo(Phase.NEW_ONLY);
        sides.run(
            migration ->
                assertThatThrownBy(migration::goBack).isInstanceOf(KvException.Permanent.class));
      } finally {
        ended.set(true);
        clients.forEach(client -> client.exceptionally(error -> null).join());
        services.forEach(KvStore::close);
      }
    }
    assertThat(clients).allSatisfy(client -> assertThat(client).isCompleted());
    assertThat(history.violations()).as("-Dkvshift.seed=%s", SEED).isEmpty();
    assertThat(history.failed()).isZero();
    int compared = compareWith(target);
    System.out.println(
        history.operations()
            + " operations of histories and "
            + journalWrites
            + " of journals, none failed; "
            + compared
            + " keys compared, 0 lost");
  }

  /** Compares the journals with what a service reads that has changed its string. */
  private int compareWith(String plain) {
    int compared = 0;
    try (KvStore after = Stores.connect(plain)) {
      KvCollection items = after.collection(Sides.COLLECTION, LAYOUT);
      for (Map<Key, Optional<Bytes>> journal : journals) {
        journal.forEach((key, value) -> assertThat(items.get(key)).as("%s", key).isEqualTo(value));
        compared += journal.size();
      }
    }
    return compared;
  }

  /** Two clients, one of which shares its keys with those of the other services. */
  private void work(String service, String oldSide, String newSide) {
    KvStore store = RealStoresTest.service(service, oldSide, newSide, LAYOUT);
    services.add(store);
    KvCollection items = store.collection(Sides.COLLECTION, LAYOUT);
    Random random = new Random(SEED + services.size());
    start(() -> history.run(items, random, ended::get));
    Map<Key, Optional<Bytes>> journal = new HashMap<>();
    journals.add(journal);
    Random other = new Random(SEED + 100 + services.size());
    start(() -> journal(items, service, journal, other));
  }

  private void start(Runnable client) {
    clients.add(CompletableFuture.runAsync(client, task -> new Thread(task).start()));
  }

  /** A client with keys of its own, which must read what it has written last. */
  private void journal(
      KvCollection items, String service, Map<Key, Optional<Bytes>> journal, Random random) {
    while (!ended.get()) {
      Key key =
          Key.of(
              Bytes.utf8("journal of " + service),
              Bytes.utf8("key " + random.nextInt(JOURNAL_KEYS)));
      int dice = random.nextInt(10);
      if (dice < 4) {
        assertThat(items.get(key)).isEqualTo(journal.getOrDefault(key, Optional.empty()));
      } else if (dice < 6) {
        items.delete(key);
        journal.put(key, Optional.empty());
      } else {
        Bytes value = Bytes.utf8("value " + journalWrites.incrementAndGet());
        items.put(key, value);
        journal.put(key, Optional.of(value));
      }
    }
  }

  private void awaitWork() {
    int before = history.operations();
    int written = journalWrites.get();
    until(
        "the services have worked",
        () ->
            (history.operations() > before + OPERATIONS
                    && journalWrites.get() > written + OPERATIONS)
                || clients.stream().anyMatch(CompletableFuture::isDone));
  }
}
