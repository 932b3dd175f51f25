package dev.kvshift.scylla.internal.write;

import static dev.kvshift.scylla.TestStores.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import com.datastax.oss.driver.api.core.cql.BatchStatement;
import com.datastax.oss.driver.api.core.cql.Statement;
import com.datastax.oss.driver.api.core.servererrors.InvalidQueryException;
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
import java.io.IOException;
import java.time.Duration;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The requests of writes of several keys. */
final class JointWritesTest {
  private static final Layout UNSHARDED = Layout.range(ShardRule.none());

  /** The number of rows of each write. */
  private static final ConcurrentLinkedQueue<Integer> REQUESTS = new ConcurrentLinkedQueue<>();

  private static final Pattern WRITE = Pattern.compile("UPDATE |DELETE ");

  private static final AtomicInteger MAINS = new AtomicInteger();
  private static String keyspace;
  private static Store store;
  private static StoreCollection files;
  private static volatile @Nullable Supplier<Throwable> failure;

  private final Bytes main = Bytes.utf8("main " + MAINS.incrementAndGet());

  @BeforeAll
  static void open() {
    keyspace = TestStores.newKeyspace();
    store = TestStores.open(keyspace, JointWritesTest::count);
    files = await(store.open("files", UNSHARDED, Claim.ACTIVE));
    await(
        files.write(
            StoreKey.of(Bytes.utf8("clock"), Bytes.empty()), Mutation.put(value(0)), call()));
  }

  @AfterAll
  static void close() {
    store.close();
    TestStores.drop(keyspace);
  }

  @BeforeEach
  void reset() {
    failure = null;
    REQUESTS.clear();
  }

  private static CompletionStage<AsyncResultSet> count(
      Statement<?> statement, Function<Statement<?>, CompletionStage<AsyncResultSet>> real) {
    int rows = rows(statement);
    if (rows > 0) {
      REQUESTS.add(rows);
    }
    Supplier<Throwable> failed = failure;
    return rows > 1 && failed != null
        ? CompletableFuture.failedFuture(failed.get())
        : real.apply(statement);
  }

  /** Returns the number of rows that a statement writes. */
  private static int rows(Statement<?> statement) {
    if (statement instanceof BatchStatement batch) {
      return batch.size();
    }
    String query = InterceptedSession.query(statement);
    return query.contains(" IF ") ? 0 : (int) WRITE.matcher(query).results().count();
  }

  @Test
  void writeAll_keysOfOnePartition_areOneRequestForFifty() {
    assertWritten(puts(main, 0, 50), 50);
    assertWritten(puts(main, 10, 30), 20);
    assertWritten(puts(main, 0, 130), 50, 50, 30);
    assertWritten(puts(main, 7, 8), 1);
  }

  @Test
  void writeAll_deletesAndOtherPartitions_areOneRequestForEachPartition() {
    Map<StoreKey, Mutation> mutations = puts(main, 0, 20);
    mutations.putAll(puts(Bytes.utf8("beside " + main.toUtf8()), 0, 30));
    mutations.replaceAll(
        (key, mutation) ->
            key.clustering().equals(Keys.int32().encode(3)) ? Mutation.delete() : mutation);
    assertWritten(mutations, 20, 30);
  }

  /** The value's owner and two chunks come before its row, and none of them waits for the batch. */
  @Test
  void writeAll_oneLargeValue_isWrittenBesideTheOthers() {
    Map<StoreKey, Mutation> mutations = puts(main, 0, 10);
    mutations.put(key(main, 10), Mutation.put(Bytes.of(new byte[900_000])));
    assertWritten(mutations, 10, 1, 1, 1, 1);
  }

  @Test
  void writeAll_oneWrongKey_failsAlone() {
    Map<StoreKey, Mutation> mutations = puts(main, 0, 10);
    Bytes tooLong = Bytes.of(new byte[store.limits().maxClusteringBytes() + 1]);
    StoreKey wrong = StoreKey.of(main, tooLong);
    mutations.put(wrong, Mutation.put(value(0)));
    Map<StoreKey, CompletionStage<Long>> written = files.writeAll(mutations, call());
    assertThatThrownBy(() -> await(written.get(wrong)))
        .isInstanceOf(KvException.InvalidArgument.class);
    mutations.remove(wrong);
    mutations.forEach((key, mutation) -> assertRow(key, mutation, await(written.get(key))));
  }

  @Test
  void writeAll_refusedForOneOrForBeingSeveral_isWrittenOneByOne() {
    failure = () -> new InvalidQueryException(null, "batch too large");
    assertWritten(puts(main, 0, 5), 5, 1, 1, 1, 1, 1);
  }

  @Test
  void writeAll_answerLost_isUnknownForEachWithoutMoreRequests() {
    failure = () -> new IOException("the connection was lost");
    files
        .writeAll(puts(main, 0, 5), call())
        .values()
        .forEach(
            written ->
                assertThatThrownBy(() -> await(written))
                    .isExactlyInstanceOf(KvException.UnknownOutcome.class));
    assertThat(REQUESTS).containsExactly(5);
  }

  /**
   * The first call writes the directory rows of both shards. The view is not closed, since that
   * would close the store of all tests.
   */
  @Test
  void putAllAndDeleteAll_ofAServiceWithShards_areOneRequestForEachShard() {
    KvStore service = KvStore.over(new ShardedStore(store), StoreOptions.defaults());
    KvCollection orders =
        service.collection("orders", Layout.parse("range;shard=bits=1;encoding=0"));
    orders.put(Key.of(Bytes.utf8("clock"), Bytes.empty()), value(0));
    Map<Key, Bytes> entries = new LinkedHashMap<>();
    for (int i = 0; i < 50; i++) {
      entries.put(Key.of(main, Bytes.of((byte) (i * 5), (byte) 0)), value(i));
    }
    REQUESTS.clear();
    orders.putAll(entries).values().forEach(Outcome::orThrow);
    assertThat(REQUESTS).containsExactlyInAnyOrder(2, 26, 24);
    REQUESTS.clear();
    orders.putAll(entries).values().forEach(Outcome::orThrow);
    assertThat(REQUESTS).containsExactlyInAnyOrder(26, 24);
    assertThat(orders.getAll(entries.keySet()).values())
        .allSatisfy(outcome -> assertThat(outcome.orThrow()).isPresent());
    REQUESTS.clear();
    orders.deleteAll(entries.keySet()).values().forEach(Outcome::orThrow);
    assertThat(REQUESTS).containsExactlyInAnyOrder(26, 24);
    assertThat(orders.getAll(entries.keySet()).values())
        .allSatisfy(outcome -> assertThat(outcome.orThrow()).isEmpty());
  }

  /** Writes rows, and asserts the requests, and that each row has its own version. */
  private void assertWritten(Map<StoreKey, Mutation> mutations, Integer... requests) {
    REQUESTS.clear();
    Map<StoreKey, CompletionStage<Long>> written = files.writeAll(mutations, call());
    Set<Long> versions = new HashSet<>();
    written.values().forEach(version -> versions.add(await(version)));
    assertThat(versions).hasSize(mutations.size());
    assertThat(List.copyOf(REQUESTS)).containsExactlyInAnyOrder(requests);
    assertThat(written.keySet()).isEqualTo(mutations.keySet());
    mutations.forEach((key, mutation) -> assertRow(key, mutation, await(written.get(key))));
  }

  private static void assertRow(StoreKey key, Mutation mutation, long version) {
    Row row = await(files.get(key, call()));
    Bytes value = mutation.value();
    if (value == null) {
      assertThat(row).isNull();
    } else {
      assertThat(row).isEqualTo(Row.of(key, version, value, null));
    }
  }

  private static Map<StoreKey, Mutation> puts(Bytes main, int from, int to) {
    Map<StoreKey, Mutation> mutations = new LinkedHashMap<>();
    for (int i = from; i < to; i++) {
      mutations.put(key(main, i), Mutation.put(value(i)));
    }
    return mutations;
  }

  private static StoreKey key(Bytes main, int number) {
    return StoreKey.of(main, Keys.int32().encode(number));
  }

  private static Bytes value(int number) {
    return Bytes.utf8("value " + number);
  }

  private static Call call() {
    return Call.within(Duration.ofSeconds(20));
  }
}
