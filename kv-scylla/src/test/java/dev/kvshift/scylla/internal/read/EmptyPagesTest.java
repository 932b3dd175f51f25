package dev.kvshift.scylla.internal.read;

import static dev.kvshift.scylla.TestStores.await;
import static org.assertj.core.api.Assertions.assertThat;

import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import com.datastax.oss.driver.api.core.cql.ExecutionInfo;
import com.datastax.oss.driver.api.core.cql.Statement;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.ShardRule;
import dev.kvshift.scylla.InterceptedSession;
import dev.kvshift.scylla.TestStores;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** ScyllaDB ends pages after 10,000 tombstones, possibly without a row: only a null state ends. */
final class EmptyPagesTest {
  private static final ByteBuffer EMPTY_PAGE = ByteBuffer.wrap(new byte[] {1, 2, 3});
  private static final Object NOTHING = new Object();
  private static final StoreKey KEY = StoreKey.of(Bytes.utf8("main"), Bytes.utf8("1"));

  private final String keyspace = TestStores.newKeyspace();
  private final AtomicInteger empty = new AtomicInteger();

  @AfterEach
  void drop() {
    TestStores.drop(keyspace);
  }

  @Test
  void reads_behindAnEmptyPage_findTheirRows() {
    Layout layout = Layout.range(ShardRule.none());
    try (Store store = TestStores.open(keyspace)) {
      StoreCollection files = await(store.open("files", layout, Claim.ACTIVE));
      await(files.write(KEY, Mutation.put(Bytes.utf8("v")), call()));
      await(store.metadata().compareAndSet("box/a", null, Bytes.utf8("1")));
    }
    try (Store store = TestStores.open(TestStores.string(keyspace, ""), this::emptyFirst)) {
      StoreCollection files = await(store.open("files", layout, Claim.ACTIVE));
      assertThat(await(files.get(KEY, call()))).isNotNull();
      StoreKey missing = StoreKey.of(KEY.main(), Bytes.utf8("2"));
      assertThat(await(files.getAll(List.of(KEY, missing), call()).get(0))).isNotNull();
      assertThat(await(store.metadata().get("box/a"))).isEqualTo(Bytes.utf8("1"));
      assertThat(await(store.metadata().list("box/", "", 10))).containsOnlyKeys("box/a");
      assertThat(
              await(
                      files.range(
                          KEY.main(), KEY.shard(), Range.all(), PageLimit.entries(10), call()))
                  .rows())
          .hasSize(1);
      ScanTask all = ScanTask.of(Long.MIN_VALUE, Long.MAX_VALUE);
      assertThat(await(files.scan(all, null, PageLimit.entries(10), call())).rows()).hasSize(1);
      assertThat(
              await(
                  store
                      .locks("orders")
                      .tryLockAll(Set.of(Bytes.utf8("k")), Duration.ofSeconds(10), call())))
          .isNotNull();
      assertThat(empty).hasValueGreaterThan(10);
    }
  }

  /** Answers the first page of every read by an empty one, and its successor by the real first. */
  private CompletionStage<AsyncResultSet> emptyFirst(
      Statement<?> statement, Function<Statement<?>, CompletionStage<AsyncResultSet>> real) {
    if (!InterceptedSession.query(statement).startsWith("SELECT ")
        || InterceptedSession.query(statement).contains("supported_features")) {
      return real.apply(statement);
    }
    if (EMPTY_PAGE.equals(statement.getPagingState())) {
      return real.apply(statement.setPagingState((ByteBuffer) null));
    }
    if (statement.getPagingState() != null) {
      return real.apply(statement);
    }
    empty.incrementAndGet();
    return real.apply(statement).thenApply(EmptyPagesTest::emptied);
  }

  static AsyncResultSet emptied(AsyncResultSet real) {
    ExecutionInfo info =
        proxy(
            ExecutionInfo.class,
            real.getExecutionInfo(),
            name -> name.equals("getPagingState") ? EMPTY_PAGE.duplicate() : null);
    return proxy(
        AsyncResultSet.class,
        real,
        name ->
            switch (name) {
              case "getExecutionInfo" -> info;
              case "currentPage" -> List.of();
              case "one" -> NOTHING;
              case "remaining" -> 0;
              case "hasMorePages" -> true;
              default -> null;
            });
  }

  /** Passes to the real object the methods for which the function returns null. */
  private static <T> T proxy(Class<T> type, T real, Function<String, Object> replaced) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, arguments) -> {
              Object value = replaced.apply(method.getName());
              if (value == NOTHING) {
                return null;
              }
              return value != null ? value : method.invoke(real, arguments);
            }));
  }

  private static Call call() {
    return Call.within(Duration.ofSeconds(10));
  }
}
