package dev.kvshift.scylla.internal.read;

import static dev.kvshift.scylla.TestStores.await;
import static org.assertj.core.api.Assertions.assertThat;

import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import com.datastax.oss.driver.api.core.cql.Statement;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.RangePage.Stop;
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
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The bytes that pages with a limit of bytes fetch from the server. */
final class PageBytesTest {
  private static final int LARGE = 500_000;
  private static final int ROWS = 60;
  private static final PageLimit MIB = PageLimit.of(PageLimit.MAX_ENTRIES, 1 << 20);
  private static final Bytes MAIN = Bytes.utf8("main");

  private final String keyspace = TestStores.newKeyspace();
  private final AtomicInteger rows = new AtomicInteger();
  private final AtomicLong largestAnswer = new AtomicLong();

  @AfterEach
  void drop() {
    TestStores.drop(keyspace);
  }

  @Test
  void range_largeRows_fetchesLittleMoreThanThePage() {
    fill(Layout.range(ShardRule.none()), ROWS, LARGE);
    try (Store store = counted()) {
      StoreCollection files =
          await(store.open("files", Layout.range(ShardRule.none()), Claim.ACTIVE));
      RowPage page = await(files.range(MAIN, Bytes.empty(), Range.all(), MIB, call()));
      assertThat(page.rows()).hasSize(2);
      assertThat(page.stop()).isEqualTo(Stop.BYTE_LIMIT);
      assertThat(rows).hasValue(3);
      page = await(files.range(MAIN, Bytes.empty(), Range.all().backward(), MIB, call()));
      assertThat(page.rows()).hasSize(2);
      assertThat(rows).hasValue(6);
    }
  }

  @Test
  void scan_largeRows_fetchesLittleMoreThanThePages() {
    fill(Layout.point(), ROWS, LARGE);
    try (Store store = counted()) {
      StoreCollection files = await(store.open("files", Layout.point(), Claim.ACTIVE));
      ScanTask all = ScanTask.of(Long.MIN_VALUE, Long.MAX_VALUE);
      Bytes position = null;
      int found = 0;
      int pages = 0;
      do {
        ScanPage page = await(files.scan(all, position, MIB, call()));
        found += page.rows().size();
        position = page.next();
        pages++;
      } while (position != null);
      assertThat(found).isEqualTo(ROWS);
      assertThat(rows.get()).isLessThanOrEqualTo(ROWS + pages);
      assertThat(largestAnswer).hasValueLessThan(4L * LARGE);
    }
  }

  /** Small rows of an unknown table cost a few small requests once, and then whole pages. */
  @Test
  void range_smallRows_growsToWholePages() {
    fill(Layout.range(ShardRule.none()), 2_000, 100);
    try (Store store = counted()) {
      StoreCollection files =
          await(store.open("files", Layout.range(ShardRule.none()), Claim.ACTIVE));
      PageLimit limit = PageLimit.entries(1_000);
      AtomicInteger before = new AtomicInteger();
      RowPage page = await(files.range(MAIN, Bytes.empty(), Range.all(), limit, call()));
      assertThat(page.rows()).hasSize(1_000);
      before.set(requests.get());
      assertThat(before).hasValueLessThanOrEqualTo(6);
      Range rest = Range.all().beyond(page.passed());
      assertThat(await(files.range(MAIN, Bytes.empty(), rest, limit, call())).rows())
          .hasSize(1_000);
      assertThat(requests.get() - before.get()).isEqualTo(1);
    }
  }

  private final AtomicInteger requests = new AtomicInteger();

  private void fill(Layout layout, int count, int size) {
    try (Store store = TestStores.open(keyspace)) {
      StoreCollection files = await(store.open("files", layout, Claim.ACTIVE));
      Bytes value = Bytes.of(new byte[size]);
      for (int i = 0; i < count; i++) {
        await(files.write(key(layout, i), Mutation.put(value), call()));
      }
    }
  }

  private static StoreKey key(Layout layout, int number) {
    Bytes part = Keys.int32().encode(number);
    return layout.shape() == Layout.Shape.POINT
        ? StoreKey.of(part, Bytes.empty())
        : StoreKey.of(MAIN, part);
  }

  private Store counted() {
    return TestStores.open(keyspace, this::count);
  }

  private CompletionStage<AsyncResultSet> count(
      Statement<?> statement, Function<Statement<?>, CompletionStage<AsyncResultSet>> real) {
    return real.apply(statement)
        .thenApply(
            result -> {
              if (result.getColumnDefinitions().contains("v")) {
                requests.incrementAndGet();
                rows.addAndGet(result.remaining());
                largestAnswer.accumulateAndGet(
                    result.getExecutionInfo().getResponseSizeInBytes(), Math::max);
              }
              return result;
            });
  }

  private static Call call() {
    return Call.within(Duration.ofSeconds(20));
  }
}
