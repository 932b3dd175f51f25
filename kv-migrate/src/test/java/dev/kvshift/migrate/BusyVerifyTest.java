package dev.kvshift.migrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.embedded.KafkaBroker;
import dev.kvshift.migrate.api.Difference;
import dev.kvshift.migrate.api.MigrationOptions;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.migrate.api.ScanRate;
import dev.kvshift.migrate.api.VerifyReport;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.ledger.VerifyPass;
import dev.kvshift.migrate.internal.ledger.VerifyRecord;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Limits;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Comparisons while services write, on stores that complete late. */
final class BusyVerifyTest {
  private static final int ROWS = 20_000;
  private static final Pattern OWNER = Pattern.compile("\"owner\":\"([^\"]+)\"");

  /** A key that changes during a scan may be met twice. */
  private static final int AT_MOST = ROWS + ROWS / 20;

  private final ScanCounter fromSource = new ScanCounter();
  private final ScanCounter fromTarget = new ScanCounter();

  @Test
  void verify_whileRowsOfEveryPartChange_scansEachSideOnce() {
    try (Sides sides = counted(new Sides());
        Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
      sides.fill(ROWS);
      migration.copy();
      migration.catchUp();
      takeCounts();

      AtomicInteger written = new AtomicInteger();
      VerifyReport report;
      try (Writer writer = new Writer(sides, written)) {
        report = migration.verify();
        writer.check();
      }

      assertThat(written.get()).as("changes meanwhile").isGreaterThan(100);
      assertThat(report.differences()).isZero();
      assertThat(report.rechecked()).as("keys left to no check").isZero();
      assertThat(fromSource.takeScanned()).isBetween((long) ROWS, (long) AT_MOST);
      assertThat(fromTarget.takeScanned()).isBetween((long) ROWS, (long) AT_MOST);
      assertThat(migration.cutover().attempts()).isPositive();
    }
  }

  @Test
  void verify_differenceAmongRowsThatChange_isFoundByASecondScan() {
    StoreKey broken = Sides.key(ROWS / 2);
    try (Sides sides = counted(new Sides());
        Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
      sides.fill(ROWS);
      migration.copy();
      migration.catchUp();
      Await.of(sides.to().write(broken, newest(Mutation.delete()), Sides.call()));
      takeCounts();

      VerifyReport report;
      try (Writer writer = new Writer(sides, new AtomicInteger())) {
        writer.spare(broken);
        report = migration.verify();
        writer.check();
      }

      assertThat(report.keys()).extracting(Difference::key).containsExactly(broken);
      assertThat(report.keys())
          .extracting(Difference::kind)
          .containsExactly(Difference.Kind.MISSING);
      assertThat(fromSource.takeScanned()).isBetween(2L * ROWS - 2, 2L * AT_MOST);
      assertThat(fromTarget.takeScanned()).isBetween(2L * ROWS - 2, 2L * AT_MOST);
    }
  }

  @Test
  void verify_moreDifferencesThanTheSketchNames_looksUpEachRow() {
    try (Sides sides = counted(new Sides());
        Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
      sides.fill(ROWS);
      migration.copy();
      migration.catchUp();
      List<CompletionStage<Long>> deletes = new ArrayList<>();
      for (int i = 0; i < ROWS / 2; i++) {
        deletes.add(sides.to().write(Sides.key(i), newest(Mutation.delete()), Sides.call()));
      }
      deletes.forEach(Await::of);
      StoreKey extra = Sides.key(ROWS + 1);
      Await.of(
          sides.to().write(extra, Mutation.put(Bytes.utf8("extra")).withVersion(5L), Sides.call()));
      takeCounts();

      VerifyReport report = migration.verify();

      assertThat(report.counts().missing()).isEqualTo(ROWS / 2);
      assertThat(report.counts().extra()).isEqualTo(1);
      assertThat(report.differences()).isEqualTo(ROWS / 2 + 1);
      assertThat(fromSource.takeScanned()).isEqualTo(2L * ROWS);
      assertThat(fromTarget.takeScanned()).isEqualTo(2L * (ROWS / 2 + 1));
    }
  }

  @Test
  void verify_afterAKill_resumesTheScan() {
    int rows = 6_000;
    int rate = 2_000;
    AtomicBoolean killed = new AtomicBoolean();
    AtomicInteger pages = new AtomicInteger();
    Set<String> owners = ConcurrentHashMap.newKeySet();
    Intercepted.Fault kill =
        (type, method, arguments, request) -> {
          if (method.equals("compareAndSet")
              && ((String) arguments[0]).endsWith("/verify-pass")
              && arguments[2] instanceof Bytes record) {
            OWNER.matcher(record.toUtf8()).results().forEach(found -> owners.add(found.group(1)));
          }
          if (killed.get() || (method.equals("scan") && pages.decrementAndGet() == 0)) {
            killed.set(true);
            return CompletableFuture.failedFuture(new KvException.Permanent("killed"));
          }
          return fromTarget.around(type, method, arguments, request);
        };
    try (Sides sides = new Sides().from(Intercepted.late(fromSource)).to(Intercepted.late(kill))) {
      sides.fill(rows);
      MigrationOptions options = Sides.options(Sides.PATIENT, ScanRate.rowsPerSecond(rate));
      MigrationPlan plan = sides.plan(KafkaBroker.shared(), options);
      try (Migration migration = Migration.of(plan, ProgressListener.NONE)) {
        migration.copy();
        migration.catchUp();
        takeCounts();
        pages.set(rows / 100 * 2 / 3);
        assertThatThrownBy(migration::verify)
            .isInstanceOf(KvException.Permanent.class)
            .hasMessageContaining("killed");
      }
      assertThat(owners).hasSize(1);
      long before = fromSource.takeScanned() + fromTarget.takeScanned();
      killed.set(false);
      sides.put(Sides.key(3), "changed between the runs");
      Instant began = sides.ledger().require(VerifyPass.KEY).began();
      try (Migration migration = Migration.of(plan, ProgressListener.NONE)) {
        migration.catchUp();

        VerifyReport report = migration.verify();

        assertThat(owners).as("the killed run could not save any more").hasSize(2);
        assertThat(report.differences()).isZero();
        assertThat(report.sourceRows()).isEqualTo(rows);
        assertThat(report.targetRows()).isEqualTo(rows);
        long after = fromSource.takeScanned() + fromTarget.takeScanned();
        assertThat(before).isBetween((long) rows, 2L * rows);
        assertThat(before + after)
            .as("only what the last checkpoint lacks is scanned again")
            .isBetween(2L * rows, 2L * rows + 2L * rate);
        VerifyRecord record = sides.ledger().require(VerifyRecord.KEY);
        assertThat(record.began()).as("its age").isBetween(began, began.plusMillis(1));
        assertThat(sides.ledger().get(VerifyPass.KEY)).isNull();
        assertThat(migration.cutover().attempts()).isEqualTo(1);
      }
    }
  }

  @Test
  void verify_killedBeforeItsResultIsSaved_beginsAnew() {
    AtomicBoolean killed = new AtomicBoolean();
    String result = "migration/" + Sides.COLLECTION + "/verify";
    Intercepted.Fault kill =
        (type, method, arguments, request) -> {
          if (method.equals("compareAndSet") && arguments[0].equals(result)) {
            killed.set(true);
          }
          return killed.get()
              ? CompletableFuture.failedFuture(new KvException.Permanent("killed"))
              : request.send();
        };
    try (Sides sides = new Sides().to(kill)) {
      sides.fill(100);
      try (Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
        migration.copy();
        assertThatThrownBy(migration::verify)
            .isInstanceOf(KvException.Permanent.class)
            .hasMessageContaining("killed");
      }
      Instant killedAt = Instant.now();
      Await.of(
          sides.to().write(Sides.key(5), newest(Mutation.put(Bytes.utf8("broken"))), Sides.call()));
      try (Migration migration =
          Migration.of(
              sides.to((type, method, arguments, request) -> request.send()).plan(),
              ProgressListener.NONE)) {
        assertThat(migration.verify().counts().different()).isEqualTo(1);
        assertThat(sides.ledger().require(VerifyRecord.KEY).began()).isAfter(killedAt);
      }
    }
  }

  @Test
  void verify_lastsLongerThanTheTargetRemembersDeletes_ends() {
    Intercepted.Fault forgetful =
        new Intercepted.Fault() {
          @Override
          public CompletionStage<?> around(
              Class<?> type, String method, Object[] arguments, Intercepted.Request request) {
            return request.send();
          }

          @Override
          public Object answered(String method, Object answer) {
            return answer instanceof Limits limits
                ? limits.withTombstoneLifetime(Duration.ofSeconds(1))
                : answer;
          }
        };
    try (Sides sides = new Sides().to(forgetful)) {
      sides.fill(400);
      MigrationOptions options = Sides.options(Sides.PATIENT, ScanRate.rowsPerSecond(200));
      try (Migration migration =
          Migration.of(sides.plan(KafkaBroker.shared(), options), ProgressListener.NONE)) {
        migration.copy();
        assertThatThrownBy(migration::verify)
            .isExactlyInstanceOf(KvException.Permanent.class)
            .hasMessageStartingWith("the comparison of collection files takes too long: it began 0")
            .hasMessageContaining("the target remembers deletes for 0 h only");
        assertThat(sides.ledger().get(VerifyRecord.KEY)).isNull();
      }
    }
  }

  private Sides counted(Sides sides) {
    return sides.from(Intercepted.late(fromSource)).to(Intercepted.late(fromTarget));
  }

  private void takeCounts() {
    fromSource.takeScanned();
    fromSource.takeReads();
    fromTarget.takeScanned();
    fromTarget.takeReads();
  }

  private static Mutation newest(Mutation mutation) {
    return mutation.withVersion(System.currentTimeMillis() * 1_000 + 10);
  }

  /** Overwrites rows all over the collection until it is closed. */
  private static final class Writer implements AutoCloseable {
    private final Sides sides;
    private final AtomicInteger written;
    private final Random random = new Random(20_261_128);
    private final Thread thread = new Thread(this::run, "busy-writer");
    private volatile StoreKey spared = Sides.key(-1);
    private volatile boolean closing;
    private volatile Throwable failure;

    Writer(Sides sides, AtomicInteger written) {
      this.sides = sides;
      this.written = written;
      thread.start();
    }

    void spare(StoreKey key) {
      spared = key;
    }

    void check() {
      assertThat(failure).isNull();
    }

    private void run() {
      try {
        while (!closing) {
          StoreKey key = Sides.key(random.nextInt(ROWS));
          if (!key.equals(spared)) {
            Await.of(
                sides.from.write(
                    key,
                    Mutation.put(Bytes.utf8("busy-" + written.get())),
                    Call.within(Duration.ofSeconds(10))));
            written.incrementAndGet();
          }
          LockSupport.parkNanos(500_000);
        }
      } catch (RuntimeException | Error e) {
        failure = e;
      }
    }

    @Override
    public void close() {
      closing = true;
      try {
        thread.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
