package dev.kvshift.scylla.internal.read;

import static dev.kvshift.scylla.TestStores.await;
import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.ShardRule;
import dev.kvshift.model.key.Keys;
import dev.kvshift.scylla.TestStores;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.RowPage;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** More deletes in a partition than a node of default settings reads past: 100,000. */
final class DeadStretchTest {
  private static final int DELETES = 110_000;
  private static final int AT_ONCE = 500;
  private static final Bytes MAIN = Bytes.utf8("main");
  private static final PageLimit TEN = PageLimit.entries(10);
  private static final ScanTask ALL = ScanTask.of(Long.MIN_VALUE, Long.MAX_VALUE);

  private final String keyspace = TestStores.newKeyspace();

  @AfterEach
  void drop() {
    TestStores.drop(keyspace);
  }

  @Test
  void rangeAndScan_behindMoreDeletesThanANodeReads_findTheLiveRow() {
    try (Store store = TestStores.open(keyspace)) {
      StoreCollection events =
          await(store.open("events", Layout.range(ShardRule.none()), Claim.ACTIVE));
      List<CompletionStage<Long>> deletes = new ArrayList<>();
      for (int i = 0; i < DELETES; i++) {
        deletes.add(events.write(key(i), Mutation.delete(), call()));
        if (deletes.size() == AT_ONCE) {
          deletes.forEach(TestStores::await);
          deletes.clear();
        }
      }
      await(events.write(key(DELETES), Mutation.put(Bytes.utf8("live")), call()));

      assertThat(walk(events, Range.all())).containsExactly(key(DELETES));
      assertThat(walk(events, Range.all().backward())).containsExactly(key(DELETES));
      assertThat(scan(events)).containsExactly(key(DELETES));
    }
  }

  private static List<StoreKey> walk(StoreCollection events, Range range) {
    List<StoreKey> found = new ArrayList<>();
    Range rest = range;
    while (true) {
      RowPage page = await(events.range(MAIN, Bytes.empty(), rest, TEN, call()));
      page.rows().forEach(row -> found.add(row.key()));
      if (page.passed() == null) {
        return found;
      }
      rest = rest.beyond(page.passed());
    }
  }

  private static List<StoreKey> scan(StoreCollection events) {
    List<StoreKey> found = new ArrayList<>();
    Bytes position = null;
    do {
      ScanPage page = await(events.scan(ALL, position, TEN, call()));
      page.rows().forEach(row -> found.add(row.key()));
      position = page.next();
    } while (position != null);
    return found;
  }

  private static StoreKey key(int number) {
    return StoreKey.of(MAIN, Keys.int32().encode(number));
  }

  private static Call call() {
    return Call.within(Duration.ofSeconds(20));
  }
}
