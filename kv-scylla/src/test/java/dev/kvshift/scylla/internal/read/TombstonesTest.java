package dev.kvshift.scylla.internal.read;

import static dev.kvshift.scylla.TestStores.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.ShardRule;
import dev.kvshift.embedded.CassandraNode;
import dev.kvshift.model.Stores;
import dev.kvshift.model.key.Keys;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.RowPage;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** A range read that a node aborts, since more tombstones precede the page than the node allows. */
final class TombstonesTest {
  private static final int ALLOWED = 200;
  private static final Bytes MAIN = Bytes.utf8("main");

  @Test
  void range_behindMoreDeletesThanTheNodeAllows_isAClearError() {
    try (CassandraNode node =
            CassandraNode.builder()
                .setting("tombstone_warn_threshold", Integer.toString(ALLOWED / 2))
                .setting("tombstone_failure_threshold", Integer.toString(ALLOWED))
                .start();
        Store store =
            Stores.open(
                "scylla://"
                    + node.address()
                    + "/tombstones?create=if-missing&replication=1&timeout=20s&localDatacenter="
                    + node.datacenter())) {
      StoreCollection events =
          await(store.open("events", Layout.range(ShardRule.none()), Claim.ACTIVE));
      for (int i = 0; i <= ALLOWED; i++) {
        await(events.write(key(i), Mutation.delete(), call()));
      }
      await(events.write(key(ALLOWED + 1), Mutation.put(Bytes.utf8("live")), call()));

      assertThatThrownBy(() -> page(events, Range.all()))
          .isInstanceOf(KvException.Permanent.class)
          .hasMessage(
              "reading a range of collection events failed, the server met more tombstones than it"
                  + " allows for one page: begin the range after the deleted entries, or wait until"
                  + " they are purged");
      assertThat(page(events, Range.from(clustering(ALLOWED + 1))).rows()).hasSize(1);
    }
  }

  private static RowPage page(StoreCollection events, Range range) {
    return await(events.range(MAIN, Bytes.empty(), range, PageLimit.entries(10), call()));
  }

  private static StoreKey key(int number) {
    return StoreKey.of(MAIN, clustering(number));
  }

  private static Bytes clustering(int number) {
    return Keys.int32().encode(number);
  }

  private static Call call() {
    return Call.within(Duration.ofSeconds(20));
  }
}
