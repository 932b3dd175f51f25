package dev.kvshift.migrate;

import static dev.kvshift.testkit.concurrent.Await.join;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.RangePage;
import dev.kvshift.api.ShardRule;
import dev.kvshift.embedded.CassandraNode;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.model.Stores;
import dev.kvshift.model.shard.ShardDirectory;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.transition.MergePass;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/**
 * The shard rule of a collection of a real node changes, by a move to another keyspace: forward,
 * back and forward again, each time by a run of its own, one of which is killed, under services
 * that read keys and ranges and write all the time.
 */
final class LayoutChangeOnCassandraTest {
  private static final long SEED = Long.getLong("kvshift.seed", 7);
  private static final int ROWS = 500;
  private static final int MAINS = 5;
  private static final int SERVICES = 3;

  /** The writes of the first pass before its runner dies. */
  private static final int WRITES_UNTIL_KILLED = 150;

  private static final Layout WHOLE = Layout.range(ShardRule.none());

  /** The keys of the test have their first digit in these bits. */
  private static final Layout SHARDED = Layout.range(ShardRule.firstBits(32));

  private final LiveClients clients = new LiveClients(SHARDED, SEED);
  private final List<String> notes = new ArrayList<>();

  @Test
  void move_toAnotherRuleForwardBackAndForwardUnderLoad_losesNothing() {
    CassandraNode node = CassandraNode.shared();
    String plain = RealStoresTest.target(node, "layout_old", node.datacenter());
    String moved = RealStoresTest.target(node, "layout_new", node.datacenter());
    String oldSide = plain + "&deletes=kept";
    String newSide = moved + "&deletes=kept";
    List<MergePass.Counts> passes = new ArrayList<>();
    try (Store old = Stores.open(oldSide);
        Store fresh = Stores.open(newSide)) {
      fill(plain);
      MigrationPlan plan = plan(old, fresh);
      run(plan, ClockMigration::prepare);
      try {
        for (int service = 0; service < SERVICES; service++) {
          clients.add("service-" + service, oldSide, newSide);
        }
        run(plan, migration -> migration.step(Phase.DUAL_WRITE));
        clients.awaitWork();
        MigrationPlan killed = plan(old, Intercepted.of(fresh, killer()));
        assertThatThrownBy(() -> run(killed, ClockMigration::verify)).hasMessage("killed");
        List<Consumer<ClockMigration>> runs =
            List.of(
                migration -> passes.add(migration.verify()),
                migration -> migration.step(Phase.NEW_PRIMARY),
                ClockMigration::rollBack,
                migration -> migration.step(Phase.NEW_PRIMARY),
                ClockMigration::finish);
        for (Consumer<ClockMigration> each : runs) {
          run(plan, each);
          clients.awaitWork();
        }
        assertThat(ClockMigration.of(plan, ProgressListener.NONE).status().isActive()).isTrue();
      } finally {
        clients.close();
      }
      requireListed(fresh);
    }
    clients.requireRight();
    assertThat(notes).anyMatch(note -> note.startsWith("resumes the pass that has stopped at "));
    int compared = compareWith(moved);
    requireOneRule(plain, WHOLE, SHARDED);
    requireOneRule(moved, SHARDED, WHOLE);
    System.out.println(
        clients.figures() + "; " + compared + " rows compared, 0 lost; resumed pass: " + passes);
  }

  private static MigrationPlan plan(Store old, Store fresh) {
    return MigrationPlan.builder(Sides.COLLECTION, SHARDED)
        .source(old)
        .target(fresh)
        .bootstrapServers("localhost:1")
        .options(Sides.options(Sides.PATIENT))
        .build();
  }

  private void run(MigrationPlan plan, Consumer<ClockMigration> step) {
    ProgressListener listener =
        event -> {
          Sides.print(event);
          if (event.note() != null) {
            notes.add(event.note());
          }
        };
    step.accept(ClockMigration.of(plan, listener));
  }

  /** Returns a fault that ends the run at a write of its pass. */
  private static Intercepted.Fault killer() {
    AtomicInteger writes = new AtomicInteger();
    return (type, method, arguments, request) -> {
      if (type.equals(StoreCollection.class)
          && method.equals("write")
          && writes.incrementAndGet() > WRITES_UNTIL_KILLED) {
        throw new KvException.Permanent("killed");
      }
      return request.send();
    };
  }

  /** Rows of before the migration, by a service that knows nothing of it. */
  private static void fill(String plain) {
    try (KvStore before = Stores.connect(plain)) {
      KvCollection items = before.collection(Sides.COLLECTION, WHOLE);
      for (int i = 0; i < ROWS; i++) {
        items.put(key(i), Bytes.utf8("row " + i));
      }
    }
  }

  private static Key key(int row) {
    return Key.of(Bytes.utf8("main " + row % MAINS), Bytes.utf8("row " + row));
  }

  /** Checks that the directory of the new side lists the shard of each row. */
  private static void requireListed(Store fresh) {
    ShardDirectory directory =
        Objects.requireNonNull(join(ShardDirectory.find(fresh, Sides.COLLECTION, SHARDED)));
    for (int i = 0; i < ROWS; i++) {
      StoreKey row = directory.rowOf(StoreKey.of(key(i).main(), key(i).clustering()));
      assertThat(row.clustering()).isEqualTo(key(i).clustering().slice(0, 5));
      assertThat(join(directory.lists(row, Sides.call()))).as("%s", row).isTrue();
    }
  }

  /** Compares rows, ranges and journals with what a service reads that has changed its string. */
  private int compareWith(String plain) {
    try (KvStore after = Stores.connect(plain)) {
      KvCollection items = after.collection(Sides.COLLECTION, SHARDED);
      for (int i = 0; i < ROWS; i++) {
        assertThat(items.get(key(i))).contains(Bytes.utf8("row " + i));
      }
      for (int main = 0; main < MAINS; main++) {
        RangePage page = items.getRange(key(main).main(), Range.all(), PageLimit.entries(ROWS));
        assertThat(page.next()).isNull();
        assertThat(page.entries()).hasSize(ROWS / MAINS);
      }
      return ROWS + clients.compareWith(items);
    }
  }

  /** Checks that nobody can write a collection under another rule than its own. */
  private static void requireOneRule(String plain, Layout own, Layout other) {
    try (KvStore store = Stores.connect(plain)) {
      assertThatThrownBy(() -> store.collection(Sides.COLLECTION, other))
          .isInstanceOf(KvException.Permanent.class)
          .hasMessageContaining("has the layout " + own + ", not " + other)
          .hasMessageContaining("it changes by a migration into another store");
      assertThat(store.collection(Sides.COLLECTION, own).get(key(0)))
          .isEqualTo(Optional.of(Bytes.utf8("row 0")));
    }
  }
}
