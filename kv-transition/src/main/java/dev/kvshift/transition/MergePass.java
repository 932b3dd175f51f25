package dev.kvshift.transition;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.PageLimit;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.StoreCollection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The pass over all keys of both sides before clock-ordered phases leave the merge, in either
 * direction: each side's rows are read, and the side that has less of a key gets the newest row,
 * tombstones too. It is the copy and its proof in one: the pass that follows a pass finds what was
 * written in between, and nothing else.
 *
 * <p>Immutable, blocking, in bounded memory: one page at a time, each row of which is looked up on
 * the other side at once. A pass that has failed has changed nothing but for the better. An
 * interrupt ends it.
 */
public final class MergePass {
  private static final Duration REQUEST = Duration.ofSeconds(30);
  private static final int TASKS = 16;

  private final StoreCollection old;
  private final StoreCollection fresh;
  private final Pace pace;
  private final @Nullable Position from;
  private final Consumer<Position> listener;
  private final Duration lastResort;
  private final Era era;

  /**
   * The time in clock order after a leader's move.
   *
   * @param epoch the epoch that the leader must still accept
   * @param floor the last version that the leader has issued: what it lacks of older ones it has
   *     purged
   */
  private record Era(long epoch, long floor) {
    /** No leader. */
    static final Era NONE = new Era(0, Long.MIN_VALUE);
  }

  /** Holds a pass to a rate. */
  public interface Pace {
    /** No limit: each page of 256 rows is requested once the one before is merged. */
    Pace UNLIMITED =
        new Pace() {
          @Override
          public PageLimit page() {
            return PageLimit.entries(256);
          }

          @Override
          public <T extends @Nullable Object> CompletionStage<T> timed(
              Supplier<CompletionStage<T>> request) {
            return request.get();
          }

          @Override
          public void acquire(ScanPage read) {}
        };

    /** Returns the limit of the next page. */
    PageLimit page();

    /** Sends a request to a store, and accounts for the time until it is answered. */
    <T extends @Nullable Object> CompletionStage<T> timed(Supplier<CompletionStage<T>> request);

    /** Accounts for a page and blocks until the next one may be requested. */
    void acquire(ScanPage read);
  }

  /**
   * What a pass has found. Each row that it reads is equal on both sides, or one of them lacks it.
   *
   * @param oldRows the rows read on the old side and looked up on the new one, tombstones too
   * @param newRows the rows read on the new side and looked up on the old one
   * @param equal the rows that were the same on both sides
   * @param toOld the rows that the old side lacked
   * @param toNew the rows that the new side lacked
   * @param purged the rows that the old side's leader had purged before it left, and did not get
   */
  public record Counts(
      long oldRows, long newRows, long equal, long toOld, long toNew, long purged) {
    /** Nothing yet. */
    static final Counts NONE = new Counts(0, 0, 0, 0, 0, 0);

    private static Counts of(boolean isOld, Merge<@Nullable Row> merged, int toOld) {
      int toNew = merged.toNew().size();
      int lacked = merged.toOld().size();
      return new Counts(
          isOld ? 1 : 0, isOld ? 0 : 1, lacked + toNew == 0 ? 1 : 0, toOld, toNew, lacked - toOld);
    }

    private Counts plus(Counts more) {
      return new Counts(
          oldRows + more.oldRows,
          newRows + more.newRows,
          equal + more.equal,
          toOld + more.toOld,
          toNew + more.toNew,
          purged + more.purged);
    }

    /** Returns the rows read; a key that both sides have counts twice. */
    public long rows() {
      return oldRows + newRows;
    }

    /** Returns the rows that were read and not accounted for: 0, or the counts are wrong. */
    public long residue() {
      return rows() - equal - toOld - toNew - purged;
    }

    /** Returns the counts for people. */
    @Override
    public String toString() {
      return rows()
          + " rows read, "
          + toNew
          + " written to the new side, "
          + toOld
          + " written to the old side";
    }
  }

  /**
   * How far a pass has come. Everything before it is merged, in the order of the sides, the old one
   * first, and of their tokens. Valid on any machine, and in the epoch in which the pass began
   * alone: later, instances may have written to one side again.
   *
   * @param isOnNew whether the old side is done
   * @param task the tokens that are read; all lower ones of that side are merged
   * @param at the position in the task up to which all is merged; null for all of it
   * @param counts what was found so far
   */
  public record Position(boolean isOnNew, ScanTask task, @Nullable Bytes at, Counts counts) {}

  private MergePass(
      StoreCollection old,
      StoreCollection fresh,
      Pace pace,
      @Nullable Position from,
      Consumer<Position> listener,
      Duration lastResort,
      Era era) {
    this.old = old;
    this.fresh = fresh;
    this.pace = pace;
    this.from = from;
    this.listener = listener;
    this.lastResort = lastResort;
    this.era = era;
  }

  /**
   * Returns a pass.
   *
   * @param old the old side's collection, which needs scans and tombstone reads, as does the other
   * @param fresh the new side's collection, as an import opens it
   */
  public static MergePass of(StoreCollection old, StoreCollection fresh) {
    return new MergePass(
        Objects.requireNonNull(old),
        Objects.requireNonNull(fresh),
        Pace.UNLIMITED,
        null,
        position -> {},
        REQUEST.plusSeconds(10),
        Era.NONE);
  }

  /** Returns the same pass, held to a rate. */
  public MergePass withPace(Pace newPace) {
    return new MergePass(old, fresh, newPace, from, listener, lastResort, era);
  }

  /**
   * Returns the same pass, which tells after each page how far it has come.
   *
   * @param newListener called by the thread that runs the pass; what it throws ends the pass
   */
  public MergePass withListener(Consumer<Position> newListener) {
    return new MergePass(old, fresh, pace, from, newListener, lastResort, era);
  }

  /**
   * Returns the same pass, which resumes one that has ended early.
   *
   * @param position the last position that it told; null to begin
   */
  public MergePass resumedAt(@Nullable Position position) {
    return new MergePass(old, fresh, pace, position, listener, lastResort, era);
  }

  /**
   * Returns the same pass, on the way back to a leader, which refuses its requests once it leads
   * again.
   *
   * @param state the state of the collection's gate in the new store
   */
  MergePass backFrom(Gate.State state) {
    Era left = new Era(state.epoch(), state.floor());
    return new MergePass(old, fresh, pace, from, listener, lastResort, left);
  }

  /** Returns the same pass, which gives up on a store that does not keep its deadlines. */
  MergePass withLastResort(Duration newLastResort) {
    return new MergePass(old, fresh, pace, from, listener, newLastResort, era);
  }

  /**
   * Merges everything.
   *
   * @return what was found, before a position at which it was resumed, too
   * @throws KvException.Transient if a side did not answer, or the thread was interrupted: run it
   *     again
   * @throws KvException.UnknownOutcome if it is not known whether a side has a row: run it again
   */
  public Counts run() {
    Counts counts = from == null ? Counts.NONE : from.counts;
    if (from == null || !from.isOnNew) {
      counts = merge(old, from, counts);
    }
    return merge(fresh, from != null && from.isOnNew ? from : null, counts);
  }

  /** Merges what one side has, from a position on. */
  private Counts merge(StoreCollection side, @Nullable Position begun, Counts before) {
    Counts counts = before;
    for (ScanTask task : tasks(side, begun)) {
      Bytes at = begun != null && task.equals(begun.task) ? begun.at : null;
      do {
        Bytes position = at;
        Call call = Call.within(REQUEST);
        ScanPage page = await(() -> pace.timed(() -> side.scan(task, position, pace.page(), call)));
        for (Counts more : merge(side, page.rows())) {
          counts = counts.plus(more);
        }
        at = page.next();
        listener.accept(new Position(side.equals(fresh), task, at, counts));
        pace.acquire(page);
      } while (at != null);
    }
    return counts;
  }

  /**
   * Returns what is left to read of a side, lowest tokens first. The store may divide them in
   * another way than it did for the pass that is resumed, for example after a node has joined.
   */
  private List<ScanTask> tasks(StoreCollection side, @Nullable Position begun) {
    List<ScanTask> all = new ArrayList<>(await(() -> side.scanTasks(TASKS, Call.within(REQUEST))));
    all.sort(Comparator.comparingLong(ScanTask::after));
    if (begun == null) {
      return all;
    }
    List<ScanTask> left = new ArrayList<>();
    if (begun.at != null) {
      left.add(begun.task);
    }
    long done = begun.task.upTo();
    for (ScanTask task : all) {
      if (task.upTo() > done) {
        left.add(ScanTask.of(Math.max(task.after(), done), task.upTo()));
      }
    }
    return left;
  }

  /** Merges the keys of a page, which one side has returned. */
  private List<Counts> merge(StoreCollection side, List<Row> page) {
    Call call = Call.within(REQUEST).withEpoch(era.epoch);
    List<CompletableFuture<Counts>> merging =
        page.stream().map(row -> merge(side, row, call).toCompletableFuture()).toList();
    await(() -> CompletableFuture.allOf(merging.toArray(CompletableFuture[]::new)));
    return merging.stream().map(CompletableFuture::join).toList();
  }

  private CompletionStage<Counts> merge(StoreCollection side, Row row, Call call) {
    boolean isOld = side.equals(old);
    StoreCollection other = isOld ? fresh : old;
    return Futures.<@Nullable Row>start(() -> pace.timed(() -> other.get(row.key(), call)))
        .thenCompose(
            found -> {
              Merge<@Nullable Row> merged = isOld ? Merge.rows(row, found) : Merge.rows(found, row);
              List<Row> toOld =
                  merged.toOld().stream().filter(each -> each.version() > era.floor).toList();
              return write(old, toOld, call)
                  .thenCompose(written -> write(fresh, merged.toNew(), call))
                  .thenApply(written -> Counts.of(isOld, merged, toOld.size()));
            });
  }

  private CompletionStage<?> write(StoreCollection side, List<Row> rows, Call call) {
    CompletionStage<?> written = CompletableFuture.completedFuture(null);
    for (Row row : rows) {
      written =
          written.thenCompose(
              before -> pace.timed(() -> side.write(row.key(), row.toMutation(), call)));
    }
    return written;
  }

  private <T extends @Nullable Object> T await(Supplier<CompletionStage<T>> request) {
    String pass = "the pass over both sides of collection " + old.name();
    if (Thread.currentThread().isInterrupted()) {
      throw new KvException.Transient(pass + " was interrupted: run it again");
    }
    try {
      return Futures.start(request)
          .toCompletableFuture()
          .get(lastResort.toNanos(), TimeUnit.NANOSECONDS);
    } catch (ExecutionException e) {
      throw Futures.readFailure(e);
    } catch (TimeoutException e) {
      throw new KvException.Transient(
          pass + " had no answer in " + lastResort.toSeconds() + " s: run it again", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new KvException.Transient(pass + " was interrupted: run it again", e);
    }
  }
}
