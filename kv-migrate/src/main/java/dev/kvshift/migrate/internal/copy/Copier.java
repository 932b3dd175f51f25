package dev.kvshift.migrate.internal.copy;

import dev.kvshift.migrate.api.CopyReport;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.MigrationOptions;
import dev.kvshift.migrate.internal.apply.TargetWriter;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.context.ProgressReporter;
import dev.kvshift.migrate.internal.context.ScanThrottle;
import dev.kvshift.migrate.internal.context.SourceCollection;
import dev.kvshift.migrate.internal.context.WorkerPool;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.ScanPage;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;

/**
 * Copies the source's rows to the target, each with its own version and expiry. Cut into tasks,
 * each of which keeps in the ledger how far it has come, with its accounting.
 */
public final class Copier {
  private final SourceCollection source;
  private final TargetWriter writer;
  private final Ledger ledger;
  private final MigrationOptions options;
  private final Clock clock;
  private final WorkerPool workers;
  private final ProgressReporter pace;
  private final ScanThrottle rate;
  private final AtomicLong rejected = new AtomicLong();
  private final AtomicLong rows = new AtomicLong();

  public Copier(
      SourceCollection source,
      TargetWriter writer,
      Ledger ledger,
      MigrationOptions options,
      Clock clock,
      WorkerPool workers,
      ProgressReporter pace) {
    this.source = source;
    this.writer = writer;
    this.ledger = ledger;
    this.options = options;
    this.clock = clock;
    this.workers = workers;
    this.pace = pace;
    this.rate = new ScanThrottle(options.scanRate(), options.pageRows());
  }

  /** Copies what is not copied yet; {@code check} throws where it makes no sense to go on. */
  public CopyReport run(Runnable check) {
    long begun = System.nanoTime();
    CopyTasks tasks = tasks();
    rejected.set(tasks.counts().rejected());
    rows.set(tasks.counts().read());
    List<Integer> open =
        IntStream.range(0, tasks.size()).filter(task -> !tasks.get(task).done()).boxed().toList();
    try {
      workers.forEach(open, options.copyWorkers(), task -> copy(tasks, task, check));
    } catch (RuntimeException e) {
      saveOnWayOut(tasks, e);
      throw e;
    }
    tasks.save();
    CopyReport report =
        tasks.report(open.isEmpty() ? Duration.ZERO : Duration.ofNanos(System.nanoTime() - begun));
    if (report.residue() != 0) {
      throw new MigrationException.TooManyErrors(
          "the copy has read "
              + report.read()
              + " rows and cannot account for "
              + report.residue()
              + ": report this");
    }
    return report;
  }

  private static void saveOnWayOut(CopyTasks tasks, RuntimeException failure) {
    try {
      tasks.save();
    } catch (RuntimeException e) {
      failure.addSuppressed(e);
    }
  }

  private CopyTasks tasks() {
    CopyTasks planned = CopyTasks.read(ledger);
    return planned != null
        ? planned
        : CopyTasks.plan(
            ledger,
            Await.patiently(options.patience(), () -> source.scanTasks(options.copyTasks())));
  }

  private void copy(CopyTasks tasks, int number, Runnable check) {
    CopyTask task = tasks.get(number);
    CompletionStage<ScanPage> prefetched = scan(task);
    while (!task.done()) {
      check.run();
      CopyTask from = task;
      CompletionStage<ScanPage> first = prefetched;
      ScanPage page = page(from, first);
      rate.read(page);
      if (page.next() != null) {
        prefetched = scan(new CopyTask(from.range(), page.next(), false, from.counts()));
      }
      task = task.advance(page.next(), write(page.rows()));
      tasks.advance(number, task);
      long read = rows.addAndGet(page.rows().size());
      int done = tasks.done();
      pace.report(read, done == 0 ? -1 : read * tasks.size() / done);
    }
  }

  private CompletionStage<ScanPage> scan(CopyTask from) {
    return source.scan(from.range(), from.position(), rate.page());
  }

  private ScanPage page(CopyTask from, CompletionStage<ScanPage> first) {
    boolean[] used = {false};
    return Await.patiently(
        options.patience(),
        () -> {
          if (used[0]) {
            return scan(from);
          }
          used[0] = true;
          return first;
        });
  }

  private CopyTask.Counts write(List<Row> page) {
    Instant now = clock.instant();
    long tombstones = 0;
    long expired = 0;
    long highest = 0;
    List<CompletableFuture<Boolean>> writes = new ArrayList<>(page.size());
    for (Row row : page) {
      highest = Math.max(highest, row.version());
      if (row.isTombstone()) {
        tombstones++;
      } else if (row.at(now).isTombstone()) {
        expired++;
      } else {
        writes.add(writer.write(row));
      }
    }
    long written = 0;
    long refused = 0;
    for (CompletableFuture<Boolean> write : writes) {
      if (Await.of(write)) {
        written++;
      } else {
        refused++;
      }
    }
    if (rejected.addAndGet(refused) > options.maxRejected()) {
      throw new MigrationException.TooManyErrors(
          "the target has rejected "
              + rejected.get()
              + " rows, more than "
              + options.maxRejected()
              + ": read the reasons in the quarantine, and start the run again");
    }
    return new CopyTask.Counts(page.size(), written, tombstones, expired, refused, highest);
  }
}
