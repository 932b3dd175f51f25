package dev.kvshift.migrate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.embedded.KafkaBroker;
import dev.kvshift.migrate.api.MigrationOptions;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.migrate.api.VerifyReport;
import dev.kvshift.testkit.meter.Figures;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * {@code ./check verify-growth}: comparisons of more and more rows while a service makes a thousand
 * changes a second. Each costs one scan of each side. The stores are in memory, since their speed
 * is not in question. Not part of the suite, since it takes minutes. {@code
 * -Dkvshift.figures=FOLDER} keeps its figures.
 */
final class VerifyGrowthLoad {
  private static final Map<String, Map<String, Number>> FIGURES = new LinkedHashMap<>();
  private static final String ROWS = System.getProperty("kvshift.rows", "100000,1000000");
  private static final long CHANGE_NANOS = 1_000_000;

  private final ScanCounter fromSource = new ScanCounter();
  private final ScanCounter fromTarget = new ScanCounter();

  private static List<Integer> rows() {
    return Arrays.stream(ROWS.split(",")).map(Integer::valueOf).toList();
  }

  @ParameterizedTest
  @MethodSource("rows")
  void verify_whileAThousandRowsASecondChange_scansEachSideOnce(int rows) {
    try (Sides sides = new Sides().from(fromSource).to(fromTarget);
        Migration migration = Migration.of(plan(sides), ProgressListener.NONE)) {
      sides.fill(rows);
      migration.copy();
      migration.catchUp();
      fromSource.takeScanned();
      fromTarget.takeScanned();

      AtomicLong changes = new AtomicLong();
      AtomicBoolean ended = new AtomicBoolean();
      Thread service = new Thread(() -> change(sides, rows, changes, ended), "service");
      service.start();
      long began = System.nanoTime();
      VerifyReport report = migration.verify();
      Duration took = Duration.ofNanos(System.nanoTime() - began);
      ended.set(true);
      joined(service);
      long source = fromSource.takeScanned();
      long target = fromTarget.takeScanned();
      keep(rows, took, source, target, changes.get());

      assertThat(report.differences()).isZero();
      assertThat(source).isBetween((long) rows, rows + changes.get());
      assertThat(target).isBetween((long) rows, rows + changes.get());
    }
  }

  private static MigrationPlan plan(Sides sides) {
    MigrationOptions options =
        MigrationOptions.builder()
            .topicPartitions(4)
            .copyWorkers(2)
            .patience(Duration.ofSeconds(60))
            .givingUp(Set.of("unnamed"))
            .build();
    return sides.plan(KafkaBroker.shared(), options);
  }

  private static void change(Sides sides, int rows, AtomicLong changes, AtomicBoolean ended) {
    Random random = new Random(20_261_128);
    while (!ended.get()) {
      sides.put(Sides.key(random.nextInt(rows)), "changed-" + changes.incrementAndGet());
      LockSupport.parkNanos(CHANGE_NANOS);
    }
  }

  private static void joined(Thread thread) {
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void keep(int rows, Duration took, long source, long target, long changes) {
    Map<String, Number> figures = new LinkedHashMap<>();
    figures.put("millis", took.toMillis());
    figures.put("source", source);
    figures.put("target", target);
    figures.put("changes", changes);
    FIGURES.put("rows_" + rows, figures);
    System.out.println(Figures.keep("verify-growth", FIGURES));
  }
}
