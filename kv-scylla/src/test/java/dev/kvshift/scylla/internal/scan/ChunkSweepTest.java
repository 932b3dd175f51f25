package dev.kvshift.scylla.internal.scan;

import static dev.kvshift.scylla.TestStores.await;
import static org.assertj.core.api.Assertions.assertThat;

import com.datastax.oss.driver.api.core.ConsistencyLevel;
import com.datastax.oss.driver.api.core.DefaultConsistencyLevel;
import com.datastax.oss.driver.api.core.servererrors.UnavailableException;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.Layout;
import dev.kvshift.scylla.InterceptedSession;
import dev.kvshift.scylla.TestStores;
import dev.kvshift.scylla.internal.scan.ChunkSweep.Swept;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

final class ChunkSweepTest {
  private static final String KEYSPACE = TestStores.newKeyspace();
  private static final ConnectionString STRING =
      TestStores.string(KEYSPACE, "&maxCellBytes=1024&maxValueBytes=9000");

  /** The beginning of a read of a row. */
  private static final String ROW = "SELECT v, WRITETIME(v) FROM ";

  private static Call call() {
    return Call.within(Duration.ofSeconds(10));
  }

  private static StoreKey key(String main) {
    return StoreKey.of(Bytes.utf8(main), Bytes.empty());
  }

  private static Mutation large(int fill) {
    byte[] value = new byte[5_000];
    java.util.Arrays.fill(value, (byte) fill);
    return Mutation.put(Bytes.of(value));
  }

  @Test
  void run_overwrittenDeletedAndLive_removesWhatNoRowNames() {
    VersionClock clock = VersionClock.ofProcess();
    try (Store store = TestStores.open(STRING, clock)) {
      StoreCollection points = await(store.open("points", Layout.point(), Claim.ACTIVE));
      for (int fill = 1; fill <= 3; fill++) {
        await(points.write(key("overwritten"), large(fill), call()));
      }
      await(points.write(key("deleted"), large(1), call()));
      await(points.write(key("deleted"), Mutation.delete(), call()));
      await(points.write(key("live"), large(7), call()));

      assertThat(PointSweep.run(STRING, Duration.ofHours(1))).isZero();
      assertThat(PointSweep.run(STRING, Duration.ZERO)).isEqualTo(3);
      assertThat(PointSweep.run(STRING, Duration.ZERO)).isZero();

      assertThat(await(points.get(key("overwritten"), call())).value()).isEqualTo(large(3).value());
      assertThat(await(points.get(key("live"), call())).value()).isEqualTo(large(7).value());
      await(points.write(key("deleted"), large(1), call()));
      assertThat(await(points.get(key("deleted"), call())).value()).isEqualTo(large(1).value());
    }
  }

  /** A replica that does not answer costs the values of its rows, not the sweep. */
  @Test
  void range_rowsThatCannotBeRead_areSkippedAndTheOthersSwept() {
    try (Store store = TestStores.open(STRING, VersionClock.ofProcess())) {
      StoreCollection points = await(store.open("points", Layout.point(), Claim.ACTIVE));
      for (int i = 0; i < 20; i++) {
        await(points.write(key("skip" + i), large(i), call()));
        await(points.write(key("skip" + i), Mutation.delete(), call()));
      }
      AtomicInteger rows = new AtomicInteger();
      Swept swept =
          PointSweep.run(
              STRING,
              Duration.ZERO,
              (statement, real) ->
                  InterceptedSession.query(statement).startsWith(ROW)
                          && rows.incrementAndGet() % 4 == 0
                      ? CompletableFuture.failedFuture(
                          new UnavailableException(null, DefaultConsistencyLevel.ALL, 3, 2))
                      : real.apply(statement));
      assertThat(swept.skipped()).isEqualTo(rows.get() / 4).isPositive();
      assertThat(swept.removed() + swept.skipped()).isGreaterThanOrEqualTo(20);
      assertThat(PointSweep.run(STRING, Duration.ZERO)).isEqualTo(20 - swept.removed());
    }
  }

  @Test
  void look_processDiedInMidSweep_theNextGoesOnFromItsRange() {
    assertThat(SweepRecord.parse(null)).isEqualTo(new SweepRecord(0, 0));
    assertThat(SweepRecord.parse(Bytes.utf8("17"))).isEqualTo(new SweepRecord(17, 0));
    SweepRecord inMidSweep = new SweepRecord(17, 5);
    assertThat(SweepRecord.parse(inMidSweep.print())).isEqualTo(inMidSweep);
    assertThat(inMidSweep.claimed(99)).isEqualTo(new SweepRecord(99, 5));
    assertThat(SweepRecord.parse(Bytes.utf8("17 64"))).isEqualTo(new SweepRecord(17, 0));
  }

  @Test
  void run_rowsOfChunks_areReadOnAllReplicas() {
    List<ConsistencyLevel> levels = new CopyOnWriteArrayList<>();
    try (Store store = TestStores.open(STRING, VersionClock.ofProcess())) {
      StoreCollection points = await(store.open("points", Layout.point(), Claim.ACTIVE));
      await(points.write(key("read"), large(1), call()));
      PointSweep.run(
          STRING,
          Duration.ZERO,
          (statement, real) -> {
            if (InterceptedSession.query(statement).startsWith(ROW)) {
              levels.add(statement.getConsistencyLevel());
            }
            return real.apply(statement);
          });
    }
    assertThat(levels).isNotEmpty().containsOnly(ConsistencyLevel.ALL);
  }
}
