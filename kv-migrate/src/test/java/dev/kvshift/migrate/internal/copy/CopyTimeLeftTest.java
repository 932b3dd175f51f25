package dev.kvshift.migrate.internal.copy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Bytes;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.migrate.api.CopyCounts;
import dev.kvshift.migrate.internal.context.RateWindow;
import dev.kvshift.migrate.internal.ledger.CopyTaskGroup;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.Store;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The time left of a copy, as progress lines and the monitor show it, beside what it then takes. At
 * the very end a copy slows down, because some workers have nothing left to do.
 */
final class CopyTimeLeftTest {
  private static final int PAGE = 100;

  /** The share of the copy after which the time left must hold. */
  private static final double WARM = 0.1;

  /** The share of the copy after which workers begin to have nothing left to do. */
  private static final double ENDING = 0.85;

  /** The first and last seconds of a run are not foretold: there is no rate, or one page left. */
  private static final double SECONDS = 10;

  @ParameterizedTest
  @CsvSource({"64,4,0", "64,4,1000", "256,8,0", "512,16,0", "64,1,50000"})
  void timeLeft_simulatedCopy_isWithinTwiceOfWhatItTakes(int tasks, int workers, long resumedRows) {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    long[] rows = random.longs(tasks, 2_000, 6_000).toArray();
    List<double[]> foretold = new ArrayList<>();
    double second = 0;
    double end;
    try (Store store = MemoryStoreProvider.open(UUID.randomUUID().toString())) {
      CopyTasks copy = plan(store, tasks);
      long done = skip(copy, rows, resumedRows);
      RateWindow rate = new RateWindow();
      List<int[]> at = new ArrayList<>();
      int next = 0;
      while (true) {
        while (at.size() < workers && next < tasks) {
          if (!task(copy, next)) {
            at.add(new int[] {next});
          }
          next++;
        }
        if (at.isEmpty()) {
          break;
        }
        // All workers copy a page; a cold start is ten times as slow.
        second += (second < 5 ? 10 : 1) * (0.2 + random.nextDouble() * 0.2);
        for (int[] worker : List.copyOf(at)) {
          done += page(copy, worker[0], rows[worker[0]]);
          if (task(copy, worker[0])) {
            at.remove(worker);
          }
        }
        rate.add((long) (second * TimeUnit.SECONDS.toNanos(1)), done);
        double part = (double) done / LongStream.of(rows).sum();
        if (copy.expectedRows().isPresent() && part >= WARM && part <= ENDING) {
          foretold.add(
              new double[] {second, (copy.expectedRows().getAsLong() - done) / rate.perSecond()});
        }
      }
      end = second;
      assertThat(copy.expectedRows()).hasValue(LongStream.of(rows).sum());
    }
    assertThat(foretold).hasSizeGreaterThan(20);
    for (double[] one : foretold) {
      double takes = end - one[0];
      if (takes >= SECONDS && one[0] >= 2 * SECONDS) {
        assertThat(one[1])
            .as("seed %d, at %.1f of %.1f s", seed, one[0], end)
            .isBetween(takes / 2, takes * 2);
      }
    }
  }

  private static CopyTasks plan(Store store, int tasks) {
    Ledger ledger =
        new Ledger(store.metadata(), "files", Duration.ofSeconds(10), Clock.systemUTC());
    return CopyTasks.plan(
        ledger, LongStream.range(0, tasks).mapToObj(from -> ScanTask.of(from, from + 1)).toList());
  }

  /** Copies the first rows before the simulation, as a run before this one has. */
  private static long skip(CopyTasks copy, long[] rows, long wanted) {
    long done = 0;
    for (int task = 0; done < wanted; task++) {
      while (!task(copy, task)) {
        done += page(copy, task, rows[task]);
      }
    }
    return done;
  }

  private static int group(CopyTasks copy, int task) {
    return task / copy.part(0).tasks().size();
  }

  private static boolean task(CopyTasks copy, int task) {
    return copy.part(group(copy, task)).tasks().get(task % copy.part(0).tasks().size()).isDone();
  }

  private static long page(CopyTasks copy, int task, long rows) {
    CopyTaskGroup part = copy.part(group(copy, task));
    int number = task % part.tasks().size();
    long read = part.tasks().get(number).counts().read();
    long page = Math.min(PAGE, rows - read);
    CopyCounts counts = new CopyCounts(page, page, new CopyCounts.Skipped(0, 0), 0, 1);
    copy.note(
        group(copy, task),
        part.with(
            number,
            part.tasks()
                .get(number)
                .advance(read + page == rows ? null : Bytes.utf8("at"), counts)));
    return page;
  }
}
