package dev.kvshift.scylla.internal.scan;

import static dev.kvshift.scylla.TestStores.await;
import static org.assertj.core.api.Assertions.assertThat;

import com.datastax.oss.driver.api.core.DefaultConsistencyLevel;
import com.datastax.oss.driver.api.core.cql.BoundStatement;
import com.datastax.oss.driver.api.core.cql.Statement;
import com.datastax.oss.driver.api.core.servererrors.ReadTimeoutException;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.ShardRule;
import dev.kvshift.scylla.InterceptedSession;
import dev.kvshift.scylla.TestStores;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Keys of the same token, found by solving the hash for the last of three blocks. */
final class ScanCollisionTest {
  private static final long SEED = 4;
  private static final long C1 = 0x87c37b91114253d5L;
  private static final long C2 = 0x4cf5ad432745937fL;
  private static final int BLOCK = 16;
  private static final int MAIN = 3 * BLOCK;

  @Test
  void scan_partitionsOfOneToken_givesEveryRowOnceWhereverPagesEnd() {
    try (Store store = TestStores.open(TestStores.newKeyspace())) {
      scanned(store, Layout.range(ShardRule.none()), 2, 5);
      scanned(store, Layout.point(), 0, 1);
    }
  }

  /** Refuses what reads all rows of the token, so that its partitions are read in parts. */
  @Test
  void scan_partitionsOfOneTokenAndReadsOfItRefused_givesEveryRowOnce() {
    String keyspace = TestStores.newKeyspace();
    Layout layout = Layout.range(ShardRule.none());
    try (Store store = TestStores.open(keyspace)) {
      StoreCollection collection = await(store.open("crowded", layout, Claim.ACTIVE));
      Set<StoreKey> expected = fill(collection, 2, 5);
      long token = collection.token(expected.iterator().next());
      try (Store refusing =
          TestStores.open(
              keyspace,
              (statement, real) ->
                  reads(statement, token)
                      ? CompletableFuture.failedFuture(
                          new ReadTimeoutException(
                              null, DefaultConsistencyLevel.LOCAL_QUORUM, 0, 1, false))
                      : real.apply(statement))) {
        StoreCollection crowded = await(refusing.open("crowded", layout, Claim.ACTIVE));
        for (int limit : List.of(1, 3, 100)) {
          assertThat(scan(crowded, limit)).as("seed %s, limit %s", SEED, limit).isEqualTo(expected);
        }
      }
    }
  }

  /** Returns whether a statement reads all rows of a token, or looks for its partitions. */
  private static boolean reads(Statement<?> statement, long token) {
    String query = InterceptedSession.query(statement);
    return query.contains("token(")
        && !query.contains("clustering >=")
        && ((BoundStatement) statement).getLong(0) - 1 < token
        && token <= ((BoundStatement) statement).getLong(1)
        && (query.contains("DISTINCT") || ((BoundStatement) statement).getLong(0) < token);
  }

  private static void scanned(Store store, Layout layout, int prefix, int rows) {
    String name = layout.shape().name().toLowerCase(java.util.Locale.ROOT);
    StoreCollection collection = await(store.open(name, layout, Claim.ACTIVE));
    Set<StoreKey> expected = fill(collection, prefix, rows);
    for (int limit : List.of(1, 2, 3, 7, 100)) {
      assertThat(scan(collection, limit)).as("seed %s, limit %s", SEED, limit).isEqualTo(expected);
    }
  }

  private static Set<StoreKey> fill(StoreCollection collection, int prefix, int rows) {
    Random random = new Random(SEED);
    byte[] first = new byte[MAIN];
    random.nextBytes(first);
    Set<StoreKey> expected = new TreeSet<>();
    Set<Long> tokens = new TreeSet<>();
    for (int partition = 0; partition < 4; partition++) {
      Bytes main = Bytes.of(partition == 0 ? first : colliding(first, prefix, random));
      for (int row = 0; row < rows; row++) {
        StoreKey key = StoreKey.of(main, rows == 1 ? Bytes.empty() : Bytes.utf8("row" + row));
        tokens.add(collection.token(key));
        expected.add(key);
        await(collection.write(key, Mutation.put(Bytes.utf8("v")), call()));
      }
    }
    assertThat(tokens).hasSize(1);
    return expected;
  }

  private static Set<StoreKey> scan(StoreCollection collection, int limit) {
    Set<StoreKey> found = new TreeSet<>();
    for (ScanTask task : await(collection.scanTasks(1, call()))) {
      Bytes position = null;
      do {
        ScanPage page = await(collection.scan(task, position, PageLimit.entries(limit), call()));
        for (Row row : page.rows()) {
          assertThat(found.add(row.key())).as("seed %s, limit %s", SEED, limit).isTrue();
        }
        position = page.next();
      } while (position != null);
    }
    return found;
  }

  /**
   * Returns another main part with the same hash.
   *
   * @param prefix how many bytes precede the main part in the input of the hash
   */
  private static byte[] colliding(byte[] first, int prefix, Random random) {
    byte[] input = new byte[prefix + MAIN];
    if (prefix > 0) {
      input[1] = MAIN;
    }
    System.arraycopy(first, 0, input, prefix, MAIN);
    long[] target = state(input, 3);
    byte[] fresh = new byte[BLOCK];
    random.nextBytes(fresh);
    System.arraycopy(fresh, 0, input, BLOCK, BLOCK);
    long[] before = state(input, 2);
    long afterFirst = (target[0] - 0x52dce729L) * inverse(5) - before[1];
    long k1 = unmix(Long.rotateRight(afterFirst, 27) ^ before[0], C1, C2, 31);
    long afterSecond = (target[1] - 0x38495ab5L) * inverse(5) - target[0];
    long k2 = unmix(Long.rotateRight(afterSecond, 31) ^ before[1], C2, C1, 33);
    ByteBuffer.wrap(input).order(ByteOrder.LITTLE_ENDIAN).putLong(32, k1).putLong(40, k2);
    byte[] main = new byte[MAIN];
    System.arraycopy(input, prefix, main, 0, MAIN);
    return main;
  }

  private static long[] state(byte[] input, int blocks) {
    ByteBuffer buffer = ByteBuffer.wrap(input).order(ByteOrder.LITTLE_ENDIAN);
    long h1 = 0;
    long h2 = 0;
    for (int i = 0; i < blocks; i++) {
      h1 ^= Long.rotateLeft(buffer.getLong(i * BLOCK) * C1, 31) * C2;
      h1 = (Long.rotateLeft(h1, 27) + h2) * 5 + 0x52dce729;
      h2 ^= Long.rotateLeft(buffer.getLong(i * BLOCK + 8) * C2, 33) * C1;
      h2 = (Long.rotateLeft(h2, 31) + h1) * 5 + 0x38495ab5;
    }
    return new long[] {h1, h2};
  }

  private static long unmix(long mixed, long before, long after, int rotation) {
    return Long.rotateRight(mixed * inverse(after), rotation) * inverse(before);
  }

  /** Returns the inverse of an odd number modulo 2^64. */
  private static long inverse(long odd) {
    long inverse = odd;
    for (int i = 0; i < 6; i++) {
      inverse *= 2 - odd * inverse;
    }
    return inverse;
  }

  private static Call call() {
    return Call.within(Duration.ofSeconds(10));
  }
}
