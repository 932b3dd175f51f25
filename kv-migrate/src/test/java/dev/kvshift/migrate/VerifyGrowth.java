package dev.kvshift.migrate;

import dev.kvshift.api.Bytes;
import dev.kvshift.embedded.KafkaBroker;
import dev.kvshift.migrate.api.MigrationOptions;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.migrate.api.ScanRate;
import dev.kvshift.migrate.api.VerifyReport;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.StoreKey;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * Measures how a comparison grows with the number of rows while a service writes 1,000 times a
 * second, all rows under one main key: rows read from each side, single reads, and time. The
 * figures in {@code docs/internals/runner.md} are from here.
 */
final class VerifyGrowth {
  private static final Bytes MAIN = Bytes.utf8("one main key");
  private static final long PAUSE_NANOS = 1_000_000;

  private VerifyGrowth() {}

  /** Measures; the arguments are numbers of rows. */
  public static void main(String... sizes) {
    for (String size : sizes) {
      measure(Integer.parseInt(size));
    }
  }

  private static void measure(int rows) {
    ScanCounter fromSource = new ScanCounter();
    ScanCounter fromTarget = new ScanCounter();
    AtomicBoolean closing = new AtomicBoolean();
    AtomicLong written = new AtomicLong();
    MigrationOptions options =
        MigrationOptions.builder().scanRate(ScanRate.rowsPerSecond(50_000)).build();
    try (Sides sides = new Sides().from(fromSource).to(fromTarget);
        Migration migration =
            Migration.of(sides.plan(KafkaBroker.shared(), options), ProgressListener.NONE)) {
      for (int i = 0; i < rows; i++) {
        put(sides, i);
      }
      migration.copy();
      migration.catchUp();
      fromSource.takeScanned();
      fromTarget.takeScanned();
      fromSource.takeReads();
      fromTarget.takeReads();
      Thread writer =
          new Thread(
              () -> {
                Random random = new Random(rows);
                while (!closing.get()) {
                  put(sides, random.nextInt(rows));
                  written.incrementAndGet();
                  LockSupport.parkNanos(PAUSE_NANOS);
                }
              });
      writer.start();
      VerifyReport report = migration.verify();
      closing.set(true);
      System.out.printf(
          Locale.ROOT,
          "rows=%,d source=%,d target=%,d reads=%,d/%,d changed=%,d rechecked=%,d differences=%,d"
              + " millis=%,d%n",
          rows,
          fromSource.takeScanned(),
          fromTarget.takeScanned(),
          fromSource.takeReads(),
          fromTarget.takeReads(),
          written.get(),
          report.rechecked(),
          report.differences(),
          report.duration().toMillis());
      writer.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void put(Sides sides, int number) {
    Await.of(
        sides.from.write(
            StoreKey.of(MAIN, Bytes.utf8("key-" + number)),
            Mutation.put(Bytes.utf8("value")),
            Sides.call()));
  }
}
