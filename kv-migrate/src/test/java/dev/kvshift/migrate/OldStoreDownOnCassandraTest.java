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
import dev.kvshift.migrate.api.ClockCertificateReport;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.model.Stores;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.testkit.fault.TcpProxy;
import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** A service starts while the old keyspace cannot be reached, which leaves a real node. */
final class OldStoreDownOnCassandraTest {
  private static final Layout LAYOUT = Layout.range(ShardRule.none());
  private static final Key KEY = Key.of(Bytes.utf8("main"), Bytes.utf8("key"));

  @Test
  void start_newPrimaryAndOldNodeUnreachable_servesFollowsAndGoesBack() throws IOException {
    CassandraNode node = CassandraNode.shared();
    String oldSide = RealStoresTest.target(node, "down_old", node.datacenter()) + "&deletes=kept";
    String newSide = RealStoresTest.target(node, "down_new", node.datacenter()) + "&deletes=kept";
    try (TcpProxy proxy = new TcpProxy(node.contactPoint());
        Store old = Stores.open(oldSide);
        Store fresh = Stores.open(newSide)) {
      StoreCollection onOld = join(old.open(Sides.COLLECTION, LAYOUT, Claim.ACTIVE));
      String throughProxy = oldSide.replace(node.address(), proxy.address());
      MigrationPlan plan =
          MigrationPlan.builder(Sides.COLLECTION, LAYOUT)
              .source(old)
              .target(fresh)
              .bootstrapServers("localhost:1")
              .options(Sides.options(Sides.PATIENT).toBuilder().allowingEmptySource().build())
              .build();
      ClockMigration migration = ClockMigration.of(plan, Sides::print);
      migration.step(Phase.NEW_PRIMARY);
      proxy.refuse();
      long begun = System.nanoTime();
      try (KvStore late = RealStoresTest.service("late", throughProxy, newSide, LAYOUT)) {
        System.out.printf(
            "started after %d ms%n", Duration.ofNanos(System.nanoTime() - begun).toMillis());
        KvCollection items = late.collection(Sides.COLLECTION, LAYOUT);
        items.put(KEY, Bytes.utf8("1"));
        assertThat(items.get(KEY)).contains(Bytes.utf8("1"));
        assertThat(value(onOld)).isNull();
        proxy.pass();
        until(
            "the old store follows",
            () -> {
              items.put(KEY, Bytes.utf8("2"));
              return Bytes.utf8("2").equals(value(onOld));
            });
        proxy.refuse();
        items.put(KEY, Bytes.utf8("3"));
        proxy.pass();
        migration.rollBack();
        assertThat(value(onOld)).isEqualTo(Bytes.utf8("3"));
        assertThat(items.get(KEY)).contains(Bytes.utf8("3"));
        ClockCertificateReport back =
            ClockMigration.verifyCertificate(migration.rollbackCertificate());
        assertThat(back.instances()).isEqualTo(1);
        assertThat(back.counts().rows()).isEqualTo(2);
        proxy.refuse();
        assertThatThrownBy(() -> RealStoresTest.service("later", throughProxy, newSide, LAYOUT))
            .isInstanceOf(KvException.Transient.class)
            .satisfies(e -> System.out.println(e.getMessage()));
      }
    }
  }

  private static @Nullable Bytes value(StoreCollection side) {
    Row row =
        join(
            side.get(
                StoreKey.of(KEY.main(), KEY.clustering()), Call.within(Duration.ofSeconds(10))));
    return row == null ? null : row.value();
  }
}
