package dev.kvshift.migrate.internal.copy;

import dev.kvshift.api.Bytes;
import dev.kvshift.migrate.api.CopyCounts;
import dev.kvshift.migrate.api.CopyReport;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.internal.apply.TargetWriter;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.context.ProgressReporter;
import dev.kvshift.migrate.internal.context.RunContext;
import dev.kvshift.migrate.internal.context.ScanThrottle;
import dev.kvshift.migrate.internal.ledger.CopyTask;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Copies the source's rows to the target, each with its own version and expiry. The rows need no
 * consistent snapshot: a row that changes during the scan also comes with the stream, and the
 * greater version wins. Tasks run concurrently, and resume after a crash.
 */
public final class Copier {
  private final RunContext context;
  private final Ledger ledger;
  private final TargetWriter writer;
  private final ProgressReporter progress;
  private final ScanThrottle throttle;
  private final AtomicLong read = new AtomicLong();

  /** Creates a copier. */
  public Copier(RunContext context, Ledger ledger, TargetWriter writer, ProgressReporter progress) {
    this.context = context;
    this.ledger = ledger;
    this.writer = writer;
    this.progress = progress;
    this.throttle = new ScanThrottle(context.options().scanRate(), context.options().pageRows());
  }

  /**
   * Copies what is not copied yet.
   *
   * @param check called before each page; what it throws ends the copy
   * @throws MigrationException.TooManyErrors if too many rows are rejected, or the accounting has a
   *     residue
   */
  public CopyReport run(Runnable check) {
    long startNanos = System.nanoTime();
    CopyTasks tasks = tasks();
    read.set(tasks.counts().read());
    List<Integer> open =
        IntStream.range(0, tasks.size()).filter(task -> !tasks.get(task).isDone()).boxed().toList();
    try {
      context
          .workers()
          .forEach(open, context.options().copyWorkers(), task -> copy(tasks, task, check));
    } catch (RuntimeException e) {
      saveAfterFailure(tasks, e);
      throw e;
    }
    tasks.save();
    CopyCounts counts = tasks.counts();
    if (counts.residue() != 0) {
      throw new MigrationException.TooManyErrors(
          "the copy has read "
              + counts.read()
              + " rows and cannot account for "
              + counts.residue()
              + ": report this");
    }
    return new CopyReport(
        counts, open.isEmpty() ? Duration.ZERO : Duration.ofNanos(System.nanoTime() - startNanos));
  }

  private static void saveAfterFailure(CopyTasks tasks, RuntimeException failure) {
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
            ledger, context.await(() -> context.source().scanTasks(context.options().copyTasks())));
  }

  private void copy(CopyTasks tasks, int number, Runnable check) {
    CopyTask task = tasks.get(number);
    CompletionStage<ScanPage> prefetched = scan(task.range(), task.position());
    while (!task.isDone()) {
      check.run();
      CopyTask from = task;
      ScanPage page = context.await(prefetched, () -> scan(from.range(), from.position()));
      throttle.acquire(page);
      if (page.next() != null) {
        prefetched = scan(from.range(), page.next());
      }
      task = task.advance(page.next(), write(page.rows()));
      tasks.advance(number, task);
      report(tasks, page.rows().size());
    }
  }

  private CompletionStage<ScanPage> scan(ScanTask range, @Nullable Bytes position) {
    return context.source().scan(range, position, throttle.page());
  }

  /** Extrapolates the total from the finished tasks. */
  private void report(CopyTasks tasks, int pageRows) {
    long rows = read.addAndGet(pageRows);
    int done = tasks.done();
    progress.report(
        rows, done == 0 ? OptionalLong.empty() : OptionalLong.of(rows * tasks.size() / done));
  }

  private CopyCounts write(List<Row> page) {
    Instant expiredBefore = context.expiredBefore();
    long tombstones = 0;
    long expired = 0;
    long highestVersion = 0;
    List<CompletableFuture<TargetWriter.Outcome>> writes = new ArrayList<>(page.size());
    for (Row row : page) {
      highestVersion = Math.max(highestVersion, row.version());
      if (row.isTombstone()) {
        tombstones++;
      } else if (row.at(expiredBefore).isTombstone()) {
        expired++;
      } else {
        writes.add(writer.write(row));
      }
    }
    long written = 0;
    long quarantined = 0;
    for (CompletableFuture<TargetWriter.Outcome> write : writes) {
      switch (Await.of(write)) {
        case WRITTEN -> written++;
        case QUARANTINED -> quarantined++;
      }
    }
    return new CopyCounts(
        page.size(),
        written,
        new CopyCounts.Skipped(tombstones, expired),
        quarantined,
        highestVersion);
  }
}
