package dev.kvshift.scylla.internal.write;

import static dev.kvshift.scylla.TestStores.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datastax.oss.driver.api.core.DriverTimeoutException;
import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import com.datastax.oss.driver.api.core.cql.Statement;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.scylla.InterceptedSession;
import dev.kvshift.scylla.TestStores;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A row names its chunks only once all of them are acknowledged. */
final class LargeValueOrderTest {
  private static final int CHUNKS = 5;
  private static final int CHUNK_BYTES = 1 << 10;
  private static final StoreKey KEY = StoreKey.of(Bytes.utf8("a"), Bytes.empty());
  private static final Mutation LARGE =
      Mutation.put(Bytes.of(new byte[(CHUNKS - 1) * CHUNK_BYTES + 1]));

  private final String keyspace = TestStores.newKeyspace();
  private final AtomicInteger acknowledged = new AtomicInteger();
  private final AtomicInteger acknowledgedAtTheRow = new AtomicInteger(-1);
  private final AtomicInteger sent = new AtomicInteger();
  private volatile boolean lastIsLost;

  @AfterEach
  void drop() {
    TestStores.drop(keyspace);
  }

  @Test
  void write_chunksAnswerLate_theRowIsSentAfterAllOfThem() {
    try (Store store = open()) {
      StoreCollection files = await(store.open("files", Layout.point(), Claim.ACTIVE));
      await(files.write(KEY, LARGE, call()));
      assertThat(acknowledgedAtTheRow).as("with the owner's row").hasValue(CHUNKS + 1);
    }
  }

  @Test
  void write_aChunkIsNotAcknowledged_theRowIsNotWritten() {
    lastIsLost = true;
    try (Store store = open()) {
      StoreCollection files = await(store.open("files", Layout.point(), Claim.ACTIVE));
      assertThatThrownBy(() -> await(files.write(KEY, LARGE, call())))
          .isInstanceOf(KvException.Transient.class)
          .hasMessageContaining("the value was not applied");
      assertThat(acknowledgedAtTheRow).hasValue(-1);
      assertThat(await(files.get(KEY, call()))).isNull();
    }
  }

  private Store open() {
    return TestStores.open(
        TestStores.string(keyspace, "&maxCellBytes=" + CHUNK_BYTES), this::intercept);
  }

  private CompletionStage<AsyncResultSet> intercept(
      Statement<?> statement, Function<Statement<?>, CompletionStage<AsyncResultSet>> real) {
    String query = InterceptedSession.query(statement);
    if (query.startsWith("UPDATE ") && query.contains("files_i1_chunks")) {
      int number = sent.getAndIncrement();
      return lastIsLost && number == CHUNKS
          ? CompletableFuture.failedFuture(new DriverTimeoutException("lost"))
          : real.apply(statement)
              .thenCompose(
                  answer -> Futures.after(Duration.ofMillis(20)).thenApply(waited -> answer))
              .thenApply(
                  answer -> {
                    acknowledged.incrementAndGet();
                    return answer;
                  });
    }
    if (query.startsWith("UPDATE ") && query.contains("files_i1 ")) {
      acknowledgedAtTheRow.set(acknowledged.get());
    }
    return real.apply(statement);
  }

  private static Call call() {
    return Call.within(Duration.ofSeconds(10));
  }
}
