package dev.kvshift.scylla.internal.read;

import static dev.kvshift.scylla.TestStores.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import com.datastax.oss.driver.api.core.cql.BatchStatement;
import com.datastax.oss.driver.api.core.cql.Statement;
import com.datastax.oss.driver.api.core.servererrors.InvalidQueryException;
import com.datastax.oss.driver.api.core.servererrors.OverloadedException;
import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.Outcome;
import dev.kvshift.api.ShardRule;
import dev.kvshift.api.StoreOptions;
import dev.kvshift.model.key.Keys;
import dev.kvshift.model.shard.ShardedStore;
import dev.kvshift.scylla.InterceptedSession;
import dev.kvshift.scylla.TestStores;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The requests of reads of several keys. */
final class PartitionReadsTest {
  private static final Layout UNSHARDED = Layout.range(ShardRule.none());
  private static final Bytes MAIN = Bytes.utf8("main");
  private static final int LARGE = 300_000;

  private static final AtomicInteger REQUESTS = new AtomicInteger();
  private static final AtomicLong LARGEST_ANSWER = new AtomicLong();
  private static String keyspace;
  private static Store store;
  private static StoreCollection files;
  private static volatile @Nullable Supplier<Throwable> refusal;

  /** Rows after which the server cuts each page; 0 for as many as it is asked for. */
  private static volatile int cut;

  @BeforeAll
  static void open() {
    keyspace = TestStores.newKeyspace();
    store = TestStores.open(keyspace, PartitionReadsTest::count);
    files = await(store.open("files", UNSHARDED, Claim.ACTIVE));
    for (int i = 0; i < 250; i++) {
      await(files.write(key(MAIN, i), Mutation.put(value(i)), call()));
    }
  }

  @AfterAll
  static void close() {
    store.close();
    TestStores.drop(keyspace);
  }

  @BeforeEach
  void reset() {
    refusal = null;
    cut = 0;
    REQUESTS.set(0);
    LARGEST_ANSWER.set(0);
  }

  private static CompletionStage<AsyncResultSet> count(
      Statement<?> statement, Function<Statement<?>, CompletionStage<AsyncResultSet>> real) {
    String query =
        statement instanceof BatchStatement ? "a batch" : InterceptedSession.query(statement);
    if (!query.startsWith("SELECT v")) {
      return real.apply(statement);
    }
    REQUESTS.incrementAndGet();
    Supplier<Throwable> refused = refusal;
    if (refused != null && query.contains(" IN ")) {
      return CompletableFuture.failedFuture(refused.get());
    }
    return real.apply(query.contains(" IN ") && cut > 0 ? statement.setPageSize(cut) : statement)
        .thenApply(
            result -> {
              LARGEST_ANSWER.accumulateAndGet(
                  result.getExecutionInfo().getResponseSizeInBytes(), Math::max);
              return result;
            });
  }

  @Test
  void getAll_keysOfOnePartition_areOneRequestForAHundred() {
    assertThat(values(files.getAll(keys(MAIN, 0, 50), call()))).isEqualTo(values(0, 50));
    assertThat(REQUESTS).hasValue(1);
    assertThat(values(files.getAll(keys(MAIN, 0, 250), call()))).isEqualTo(values(0, 250));
    assertThat(REQUESTS).hasValue(1 + 3);
    assertThat(values(files.getAll(keys(MAIN, 7, 8), call()))).isEqualTo(values(7, 8));
    assertThat(REQUESTS).hasValue(1 + 3 + 1);
  }

  @Test
  void getAll_missingKeysAndOtherPartitions_areOneRequestForEachPartition() {
    List<StoreKey> keys = new ArrayList<>(keys(MAIN, 240, 260));
    keys.addAll(keys(Bytes.utf8("other"), 0, 20));
    List<@Nullable Bytes> expected = new ArrayList<>(values(240, 250));
    for (int i = 0; i < 30; i++) {
      expected.add(null);
    }
    assertThat(values(files.getAll(keys, call()))).isEqualTo(expected);
    assertThat(REQUESTS).hasValue(2);
  }

  /** Requests for long keys are as large as those of batches. */
  @Test
  void getAll_longKeys_areDividedByTheirBytes() {
    StoreCollection named = await(store.open("named", UNSHARDED, Claim.ACTIVE));
    List<StoreKey> keys = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      Bytes clustering = Keys.int32().encode(i).concat(Bytes.of(new byte[30_000]));
      keys.add(StoreKey.of(MAIN, clustering));
      await(named.write(keys.get(i), Mutation.put(value(i)), call()));
    }
    assertThat(values(named.getAll(keys, call()))).isEqualTo(values(0, 10));
    assertThat(REQUESTS).hasValue(5);
  }

  /** Three rows fit into an answer, and one more shows that it is full. */
  @Test
  void getAll_largeRows_areDividedByTheBytesOfTheirAnswers() {
    StoreCollection images = await(store.open("images", UNSHARDED, Claim.ACTIVE));
    Bytes large = Bytes.of(new byte[LARGE]);
    for (int i = 0; i < 20; i++) {
      await(images.write(key(MAIN, i), Mutation.put(large), call()));
    }
    List<@Nullable Bytes> found = values(images.getAll(keys(MAIN, 0, 25), call()));
    assertThat(found.subList(0, 20)).allSatisfy(value -> assertThat(value).isEqualTo(large));
    assertThat(found.subList(20, 25)).containsOnlyNulls();
    assertThat(REQUESTS).hasValue(7);
    assertThat(LARGEST_ANSWER).hasValueBetween(4L * LARGE, 4L * LARGE + 10_000);
  }

  @Test
  void getAll_serverCutsPages_readsThemToTheLast() {
    cut = 4;
    List<@Nullable Bytes> expected = new ArrayList<>(values(240, 250));
    expected.add(null);
    assertThat(values(files.getAll(keys(MAIN, 240, 251), call()))).isEqualTo(expected);
    assertThat(REQUESTS).hasValue(3);
  }

  @Test
  void getAll_refusedForOneOrForBeingSeveral_isReadOneByOne() {
    refusal = () -> new InvalidQueryException(null, "too many values of a clustering key");
    assertThat(values(files.getAll(keys(MAIN, 0, 10), call()))).isEqualTo(values(0, 10));
    assertThat(REQUESTS).hasValue(1 + 10);
  }

  @Test
  void getAll_failedOtherwise_failsForEachWithoutMoreRequests() {
    refusal = () -> new OverloadedException(null, "busy");
    for (CompletionStage<@Nullable Row> row : files.getAll(keys(MAIN, 0, 10), call())) {
      assertThatThrownBy(() -> await(row)).isInstanceOf(KvException.Transient.class);
    }
    assertThat(REQUESTS).hasValue(1);
  }

  /** The view is not closed, since that would close the store of all tests. */
  @Test
  void getAll_ofAServiceWithShards_isOneRequestForEachShard() {
    KvStore service = KvStore.over(new ShardedStore(store), StoreOptions.defaults());
    KvCollection orders =
        service.collection("orders", Layout.parse("range;shard=bits=1;encoding=0"));
    Map<Key, Bytes> entries = new LinkedHashMap<>();
    for (int i = 0; i < 50; i++) {
      entries.put(Key.of(MAIN, Bytes.of((byte) (i * 5), (byte) 0)), value(i));
    }
    orders.putAll(entries).values().forEach(Outcome::orThrow);
    REQUESTS.set(0);
    Map<Key, Outcome<Optional<Bytes>>> found = orders.getAll(entries.keySet());
    entries.forEach(
        (key, value) -> assertThat(found.get(key)).isEqualTo(Outcome.ok(Optional.of(value))));
    assertThat(REQUESTS).hasValue(2);
  }

  private static List<StoreKey> keys(Bytes main, int from, int to) {
    List<StoreKey> keys = new ArrayList<>();
    for (int i = from; i < to; i++) {
      keys.add(key(main, i));
    }
    return keys;
  }

  private static StoreKey key(Bytes main, int number) {
    return StoreKey.of(main, Keys.int32().encode(number));
  }

  private static List<@Nullable Bytes> values(int from, int to) {
    List<@Nullable Bytes> values = new ArrayList<>();
    for (int i = from; i < to; i++) {
      values.add(value(i));
    }
    return values;
  }

  private static Bytes value(int number) {
    return Bytes.utf8("value " + number);
  }

  private static List<@Nullable Bytes> values(List<CompletionStage<@Nullable Row>> rows) {
    List<@Nullable Bytes> values = new ArrayList<>();
    for (CompletionStage<@Nullable Row> row : rows) {
      Row found = await(row);
      values.add(found == null ? null : found.value());
    }
    return values;
  }

  private static Call call() {
    return Call.within(Duration.ofSeconds(20));
  }
}
