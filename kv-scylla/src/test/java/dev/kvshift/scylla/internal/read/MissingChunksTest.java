package dev.kvshift.scylla.internal.read;

import static dev.kvshift.scylla.TestStores.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.datastax.oss.driver.api.core.CqlSession;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.ShardRule;
import dev.kvshift.scylla.TestStores;
import dev.kvshift.scylla.internal.session.Sessions;
import dev.kvshift.scylla.internal.session.Settings;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A large value of whose chunks one is missing. */
final class MissingChunksTest {
  private static final Instant NOW = Instant.parse("2026-06-01T12:00:00Z");
  private static final long LIMIT = RowReader.CHUNKS_ARRIVE.toNanos() / 1_000;
  private static final Bytes MAIN = Bytes.utf8("main");
  private static final StoreKey KEY = StoreKey.of(MAIN, Bytes.utf8("entry"));
  private static final Bytes LARGE = Bytes.utf8("x".repeat(5_000));

  /** The age of the version is the limit plus so many microseconds. */
  @ParameterizedTest
  @CsvSource({"-1, Transient", "0, Permanent"})
  void read_oneChunkMissing_isTransientWhileTheVersionIsYoung(long beyond, String error) {
    String keyspace = TestStores.newKeyspace();
    ConnectionString string = TestStores.string(keyspace, "&maxCellBytes=1024");
    VersionClock clock = new VersionClock(Clock.fixed(NOW, ZoneOffset.UTC));
    long version = VersionClock.micros(NOW) - LIMIT - beyond;
    try (Store store = TestStores.open(string, clock);
        CqlSession session = Sessions.open(Settings.of(string))) {
      StoreCollection entries =
          await(store.open("entries", Layout.range(ShardRule.none()), Claim.ACTIVE));
      await(entries.write(KEY, Mutation.put(LARGE).withVersion(version), call()));
      assertThat(await(entries.get(KEY, call())).value()).isEqualTo(LARGE);
      removeAChunk(session, keyspace);
      assertThat(error(catchThrowable(() -> await(entries.get(KEY, call()))))).isEqualTo(error);
      assertThat(
              error(
                  catchThrowable(
                      () ->
                          await(
                              entries.range(
                                  MAIN,
                                  Bytes.empty(),
                                  Range.all(),
                                  PageLimit.of(10, 1 << 20),
                                  call())))))
          .isEqualTo(error);
    }
  }

  private static void removeAChunk(CqlSession session, String keyspace) {
    String table = keyspace + ".entries_i1_chunks";
    var row = session.execute("SELECT id, n FROM " + table + " WHERE n = 1 ALLOW FILTERING").one();
    session.execute("DELETE FROM " + table + " WHERE id = ? AND n = 1", row.getBytesUnsafe("id"));
  }

  private static String error(Throwable error) {
    assertThat(error).isInstanceOf(KvException.class);
    return error.getClass().getSimpleName();
  }

  private static Call call() {
    return Call.within(Duration.ofSeconds(10));
  }
}
