package dev.kvshift.migrate;

import static org.assertj.core.api.Assertions.assertThat;

import com.datastax.oss.driver.api.core.CqlSession;
import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Key;
import dev.kvshift.api.Layout;
import dev.kvshift.api.Layout.Shape;
import dev.kvshift.api.ShardRule;
import dev.kvshift.embedded.CassandraNode;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.model.Stores;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Store;
import dev.kvshift.transition.MergePass;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/**
 * A table that plain CQL has made and filled moves to a keyspace of kvshift's, forward, back and
 * forward again, under services that read and write all the time. The table and the connection
 * string are those of {@code docs/sources.md}.
 */
final class TableMoveTest {
  private static final long SEED = Long.getLong("kvshift.seed", 7);
  private static final int ROWS = 300;
  private static final Layout LAYOUT = Layout.of(Shape.RANGE, ShardRule.firstBits(4), 0);

  private final LiveClients clients = new LiveClients(LAYOUT, SEED);

  @Test
  void move_ofATableThatKvshiftDidNotMake_losesNothing() throws IOException {
    CassandraNode node = CassandraNode.shared();
    String page =
        Files.readString(Path.of(System.getProperty("kvshift.root"), "docs", "sources.md"));
    String oldSide =
        found(page, "scylla://db(/kvshift\\?\\S+)")
                .replaceFirst("^", "scylla://" + node.address())
                .replace("dc1", node.datacenter())
            + "&replication=1";
    String moved = RealStoresTest.target(node, "table_new", node.datacenter());
    String newSide = moved + "&deletes=kept";
    AtomicReference<MergePass.Counts> copied = new AtomicReference<>();
    try (CqlSession cql = session(node)) {
      cql.execute(
          "CREATE KEYSPACE shop WITH replication = {'class': 'NetworkTopologyStrategy', '"
              + node.datacenter()
              + "': 1}");
      cql.execute(found(page, "(CREATE TABLE shop\\.[^;]+);"));
      for (int i = 0; i < ROWS; i++) {
        cql.execute(
            "INSERT INTO shop.orders (customer, id, body) VALUES (?, ?, ?)"
                + (i % 10 == 0 ? " USING TTL 3600" : ""),
            key(i).main().toUtf8(),
            key(i).clustering().toUtf8(),
            Bytes.utf8("row " + i).asReadOnlyBuffer());
      }
      try (Store old = Stores.open(oldSide);
          Store fresh = Stores.open(newSide)) {
        MigrationPlan plan =
            MigrationPlan.builder(Sides.COLLECTION, LAYOUT)
                .source(old)
                .target(fresh)
                .bootstrapServers("localhost:1")
                .options(Sides.options(Sides.PATIENT))
                .build();
        run(plan, ClockMigration::prepare);
        try {
          clients.add("service-1", oldSide, newSide);
          clients.add("service-2", oldSide, newSide);
          List<Consumer<ClockMigration>> runs =
              List.of(
                  migration -> migration.step(Phase.DUAL_WRITE),
                  migration -> copied.set(migration.verify()),
                  migration -> migration.step(Phase.NEW_PRIMARY),
                  ClockMigration::rollBack,
                  migration -> migration.step(Phase.NEW_PRIMARY),
                  ClockMigration::finish);
          for (Consumer<ClockMigration> each : runs) {
            run(plan, each);
            clients.awaitWork();
          }
          assertThat(ClockMigration.of(plan, Sides::print).status().isActive()).isTrue();
        } finally {
          clients.close();
        }
      }
      assertThat(
              cql.execute(
                      "SELECT table_name FROM system_schema.tables WHERE keyspace_name = 'shop'")
                  .map(row -> row.getString(0))
                  .all())
          .containsExactly("orders");
    }
    clients.requireRight();
    assertThat(copied.get().toNew()).isGreaterThanOrEqualTo(ROWS);
    int compared = compareWith(moved);
    System.out.println(
        clients.figures() + "; " + compared + " rows compared, 0 lost; the first pass: " + copied);
  }

  private static CqlSession session(CassandraNode node) {
    int colon = node.address().lastIndexOf(':');
    return CqlSession.builder()
        .addContactPoint(
            new InetSocketAddress(
                node.address().substring(0, colon),
                Integer.parseInt(node.address().substring(colon + 1))))
        .withLocalDatacenter(node.datacenter())
        .build();
  }

  private static String found(String page, String pattern) {
    Matcher found = Pattern.compile(pattern).matcher(page);
    assertThat(found.find()).as(pattern).isTrue();
    return found.group(1);
  }

  private static void run(MigrationPlan plan, Consumer<ClockMigration> step) {
    step.accept(ClockMigration.of(plan, Sides::print));
  }

  /** Compares the rows and the journals with what a service reads that has changed its string. */
  private int compareWith(String plain) {
    try (KvStore after = Stores.connect(plain)) {
      KvCollection items = after.collection(Sides.COLLECTION, LAYOUT);
      for (int i = 0; i < ROWS; i++) {
        assertThat(items.get(key(i))).contains(Bytes.utf8("row " + i));
      }
      return ROWS + clients.compareWith(items);
    }
  }

  private static Key key(int row) {
    return Key.of(Bytes.utf8("main " + row % 20), Bytes.utf8("row " + row));
  }
}
