package dev.kvshift.transition;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.PageLimit;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.StoreCollection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The pass over all keys of both sides before clock-ordered phases leave the merge, in either
 * direction: each side's rows are read, and the side that has less of a key gets the newest row,
 * tombstones too. It is the copy and its proof in one: the pass that follows a pass finds what was
 * written in between, and nothing else.
 *
 * <p>Immutable, blocking, in bounded memory. A pass that has failed has changed nothing but for the
 * better, and the next one begins from the start.
 */
public final class MergePass {
  private static final PageLimit PAGE = PageLimit.entries(256);
  private static final Duration REQUEST = Duration.ofSeconds(30);
  private static final int TASKS = 16;

  private final StoreCollection old;
  private final StoreCollection fresh;
  private final Consumer<String> progress;

  /**
   * What a pass has found.
   *
   * @param rows the rows read, tombstones too; a key that both sides have counts twice
   * @param toOld the rows that the old side lacked
   * @param toNew the rows that the new side lacked
   */
  public record Counts(long rows, long toOld, long toNew) {
    /** Returns the counts for people. */
    @Override
    public String toString() {
      return rows
          + " rows read, "
          + toNew
          + " written to the new side, "
          + toOld
          + " written to the old side";
    }
  }

  private MergePass(StoreCollection old, StoreCollection fresh, Consumer<String> progress) {
    this.old = old;
    this.fresh = fresh;
    this.progress = progress;
  }

  /**
   * Returns a pass.
   *
   * @param old the old side's collection, which needs scans and tombstone reads, as does the other
   * @param fresh the new side's collection, as an import opens it
   */
  public static MergePass of(StoreCollection old, StoreCollection fresh) {
    return new MergePass(Objects.requireNonNull(old), Objects.requireNonNull(fresh), line -> {});
  }

  /** Returns the same pass, which reports what it has found, a line each time. */
  public MergePass withProgress(Consumer<String> newProgress) {
    return new MergePass(old, fresh, Objects.requireNonNull(newProgress));
  }

  /**
   * Merges everything.
   *
   * @throws KvException.Transient if a side did not answer: run it again
   */
  public Counts run() {
    AtomicLong toOld = new AtomicLong();
    AtomicLong toNew = new AtomicLong();
    long rows = 0;
    for (StoreCollection side : List.of(old, fresh)) {
      List<ScanTask> tasks = await(side.scanTasks(TASKS, call()));
      for (ScanTask task : tasks) {
        Bytes position = null;
        do {
          ScanPage page = await(side.scan(task, position, PAGE, call()));
          List<CompletableFuture<?>> merged = new ArrayList<>();
          for (Row row : page.rows()) {
            merged.add(
                merge(side, row)
                    .thenAccept(
                        done -> {
                          toOld.addAndGet(done.toOld().size());
                          toNew.addAndGet(done.toNew().size());
                        })
                    .toCompletableFuture());
          }
          await(CompletableFuture.allOf(merged.toArray(CompletableFuture[]::new)));
          rows += page.rows().size();
          position = page.next();
        } while (position != null);
      }
    }
    Counts counts = new Counts(rows, toOld.get(), toNew.get());
    progress.accept("collection " + old.name() + ": " + counts);
    return counts;
  }

  /** Merges one key, of which one side was read. */
  private CompletionStage<Merge<@Nullable Row>> merge(StoreCollection side, Row row) {
    boolean isOld = side.equals(old);
    StoreCollection other = isOld ? fresh : old;
    return Futures.<@Nullable Row>start(() -> other.get(row.key(), call()))
        .thenCompose(
            found -> {
              Merge<@Nullable Row> merged = isOld ? Merge.rows(row, found) : Merge.rows(found, row);
              return write(old, merged.toOld())
                  .thenCompose(written -> write(fresh, merged.toNew()))
                  .thenApply(written -> merged);
            });
  }

  private static CompletionStage<?> write(StoreCollection side, List<Row> rows) {
    CompletionStage<?> written = CompletableFuture.completedFuture(null);
    for (Row row : rows) {
      written = written.thenCompose(before -> side.write(row.key(), row.toMutation(), call()));
    }
    return written;
  }

  private static Call call() {
    return Call.within(REQUEST);
  }

  private static <T> T await(CompletionStage<T> stage) {
    try {
      return stage.toCompletableFuture().join();
    } catch (CompletionException e) {
      throw Futures.readFailure(e);
    }
  }
}
