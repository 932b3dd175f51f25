package dev.kvshift.migrate.internal.copy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.migrate.api.CopyCounts;
import dev.kvshift.migrate.internal.apply.TargetWriter;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.context.RunContext;
import dev.kvshift.migrate.internal.context.ScanThrottle;
import dev.kvshift.migrate.internal.ledger.CopyTask;
import dev.kvshift.migrate.internal.ledger.CopyTaskGroup;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.task.HeldTask;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Copies parts that this process holds: page by page, each row with its own version and expiry.
 * Rows that expire soon enough are left, if the options say so: the comparison that the cutover
 * needs finds them missing until they have expired or were written again. The progress is saved
 * about once a second. Rows copied after the last save are copied again by the next attempt,
 * whoever makes it, and counted once, because the counts are saved with the position. What was read
 * of a snapshot is saved only once it is proved again that nobody has changed that. Safe for use by
 * many threads.
 */
public final class PartCopier {
  private static final long SAVE_INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(1);

  /** A task whose scan position is longer keeps its last shorter one. */
  private static final int MAX_POSITION_BYTES = 2 << 10;

  private final RunContext context;
  private final Ledger ledger;
  private final TargetWriter writer;
  private final ScanThrottle throttle;

  /** Creates a copier whose parts share the limits of the options. */
  public PartCopier(RunContext context, Ledger ledger, TargetWriter writer) {
    this.context = context;
    this.ledger = ledger;
    this.writer = writer;
    this.throttle = context.throttle();
  }

  /**
   * Copies what is left of a part, and saves that it is copied. If that fails, what was copied is
   * saved as far as possible.
   *
   * @param check called before each page; what it throws ends the copy
   * @param copied receives the number of rows of each page
   * @throws KvException.Permanent if a snapshot is to be read and must not be, saying why
   */
  public void copy(HeldTask<CopyTaskGroup> part, Runnable check, Consumer<Integer> copied) {
    try (CopySource source = CopySource.open(context, ledger)) {
      copy(new Progress(part, source), check, copied);
    }
  }

  private void copy(Progress progress, Runnable check, Consumer<Integer> copied) {
    try {
      for (int number = 0; number < progress.now.tasks().size(); number++) {
        copy(progress, number, check, copied);
      }
    } catch (RuntimeException e) {
      try {
        progress.save();
      } catch (RuntimeException notSaved) {
        e.addSuppressed(notSaved);
      }
      throw e;
    }
    progress.save();
  }

  private void copy(Progress progress, int number, Runnable check, Consumer<Integer> copied) {
    CopySource source = progress.source;
    CopyTask task = progress.now.tasks().get(number);
    CompletionStage<ScanPage> prefetched = null;
    while (!task.isDone()) {
      check.run();
      source.requireDeletesKept();
      CopyTask from = task;
      ScanPage page =
          prefetched == null
              ? context.await(() -> scan(source, from.range(), from.position()))
              : context.await(prefetched, () -> scan(source, from.range(), from.position()));
      throttle.acquire(page);
      prefetched = page.next() == null ? null : scan(source, from.range(), page.next());
      task = task.advance(page.next(), write(page.rows()));
      progress.advance(number, task);
      copied.accept(page.rows().size());
    }
  }

  private CompletionStage<ScanPage> scan(
      CopySource source, ScanTask range, @Nullable Bytes position) {
    return throttle.timed(() -> source.rows().scan(range, position, throttle.page()));
  }

  private CopyCounts write(List<Row> page) {
    Instant expiredBefore = context.expiredBefore();
    Instant leftBefore = expiredBefore.plus(context.options().leftToExpireWithin());
    CopyCounts.LeftToExpire left = CopyCounts.LeftToExpire.NONE;
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
      } else if (row.at(leftBefore).isTombstone()) {
        left = left.plus(new CopyCounts.LeftToExpire(1, row.expiry()));
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
        new CopyCounts.Skipped(tombstones, expired, left),
        quarantined,
        highestVersion);
  }

  /** The progress of one attempt at a part. For one thread. */
  private static final class Progress {
    private final HeldTask<CopyTaskGroup> part;
    private final CopySource source;
    private CopyTaskGroup now;
    private CopyTaskGroup saved;
    private long savedNanos = System.nanoTime();

    Progress(HeldTask<CopyTaskGroup> part, CopySource source) {
      this.part = part;
      this.source = source;
      this.now = part.record();
      this.saved = now;
    }

    void advance(int number, CopyTask task) {
      Bytes position = task.position();
      if (position != null && position.size() > MAX_POSITION_BYTES) {
        return;
      }
      now = now.with(number, task);
      if (System.nanoTime() - savedNanos >= SAVE_INTERVAL_NANOS) {
        save();
      }
    }

    void save() {
      if (!now.equals(saved)) {
        source.prove();
        part.save(now);
        saved = now;
        savedNanos = System.nanoTime();
      }
    }
  }
}
