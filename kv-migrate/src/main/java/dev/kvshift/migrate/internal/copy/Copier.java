package dev.kvshift.migrate.internal.copy;

import dev.kvshift.migrate.api.CopyCounts;
import dev.kvshift.migrate.api.CopyReport;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.internal.apply.TargetWriter;
import dev.kvshift.migrate.internal.context.ProgressReporter;
import dev.kvshift.migrate.internal.context.RunContext;
import dev.kvshift.migrate.internal.ledger.CopyTaskGroup;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.ledger.TaskState;
import dev.kvshift.migrate.internal.task.HeldTask;
import dev.kvshift.migrate.internal.task.Holder;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Copies the source's rows to the target, each with its own version and expiry. The rows need no
 * consistent snapshot: a row that changes during the scan also comes with the stream, and the
 * greater version wins. Parts are copied concurrently, and resume after a crash.
 *
 * <p>A run that somebody has started takes every part that is not done, also from a process whose
 * lease is not over: of two runs, the later one copies, and the earlier one ends.
 */
public final class Copier {
  private final RunContext context;
  private final Ledger ledger;
  private final PartCopier parts;
  private final ProgressReporter progress;
  private final Holder holder = Holder.ofProcess(Holder.DEFAULT_LEASE);
  private final AtomicLong read = new AtomicLong();

  /** Creates a copier. */
  public Copier(RunContext context, Ledger ledger, TargetWriter writer, ProgressReporter progress) {
    this.context = context;
    this.ledger = ledger;
    this.parts = new PartCopier(context, ledger, writer);
    this.progress = progress;
  }

  /** Plans the parts, unless they are planned. */
  public static CopyTasks plan(RunContext context, Ledger ledger) {
    CopyTasks planned = CopyTasks.read(ledger);
    return planned != null
        ? planned
        : CopyTasks.plan(
            ledger, context.await(() -> context.source().scanTasks(context.options().copyTasks())));
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
    CopyTasks tasks = plan(context, ledger);
    read.set(tasks.counts().read());
    List<Integer> open =
        IntStream.range(0, tasks.parts())
            .filter(part -> !tasks.part(part).isDone())
            .boxed()
            .toList();
    context
        .workers()
        .forEach(open, context.options().copyWorkers(), part -> copy(tasks, part, check));
    return new CopyReport(
        balanced(tasks.counts()),
        open.isEmpty() ? Duration.ZERO : Duration.ofNanos(System.nanoTime() - startNanos),
        CopyTasks.readSnapshot(ledger));
  }

  /**
   * Returns the counts of a copy that is done.
   *
   * @throws MigrationException.TooManyErrors if they have a residue
   */
  public static CopyCounts balanced(CopyCounts counts) {
    if (counts.residue() != 0) {
      throw new MigrationException.TooManyErrors(
          "the copy has read "
              + counts.read()
              + " rows and cannot account for "
              + counts.residue()
              + ": report this");
    }
    return counts;
  }

  private void copy(CopyTasks tasks, int number, Runnable check) {
    HeldTask<CopyTaskGroup> part = take(tasks, number);
    if (part == null) {
      return;
    }
    try {
      parts.copy(
          part,
          () -> {
            check.run();
            part.require();
          },
          rows -> {
            tasks.note(number, part.record());
            report(tasks, rows);
          });
    } catch (RuntimeException e) {
      leave(part, e);
      throw e;
    }
    part.end(TaskState::done);
    tasks.note(number, part.record());
  }

  /** Takes a part from whoever holds it; returns null once it is done. */
  private @Nullable HeldTask<CopyTaskGroup> take(CopyTasks tasks, int number) {
    while (true) {
      HeldTask.Task<CopyTaskGroup> task = tasks.task(context.collection(), number);
      CopyTaskGroup found = ledger.require(task.key());
      tasks.note(number, found);
      if (found.isDone()) {
        return null;
      }
      HeldTask<CopyTaskGroup> taken = HeldTask.take(ledger, task, found, holder);
      if (taken != null) {
        return taken;
      }
    }
  }

  private static void leave(HeldTask<CopyTaskGroup> part, RuntimeException failure) {
    try {
      part.end(TaskState::handedOver);
    } catch (RuntimeException e) {
      failure.addSuppressed(e);
    }
  }

  private void report(CopyTasks tasks, int pageRows) {
    progress.report(read.addAndGet(pageRows), tasks.expectedRows());
  }
}
