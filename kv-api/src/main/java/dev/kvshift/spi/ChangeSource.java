package dev.kvshift.spi;

import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * The committed changes of one collection in commit order. Positions are dense, begin with 1, and
 * are never reused. Each change is returned exactly once per read of its position, as long as it is
 * retained. Safe for use by many threads.
 */
public interface ChangeSource {
  /**
   * Reads the changes after a position, and waits for one if there is none yet.
   *
   * <p>A batch of data ends before a fence or its lifting, which are batches of their own.
   *
   * @param after the last position that the caller has; 0 to begin
   * @param maxBytes the size limit of a batch; one larger change is returned alone
   * @param wait how long to wait for a first change, after which an empty batch is returned
   * @return the batch; fails with {@code Permanent} if changes above {@code after} are no longer
   *     retained, and names the oldest that is
   */
  CompletionStage<Batch> read(long after, int maxBytes, Duration wait);

  /**
   * Returns the identity of the log's history up to a position. Two logs agree on a position's id
   * only if they have the same changes up to it. A reader keeps the id with its position and
   * compares the two when it resumes: after a restore from a backup, or when the log was created
   * again, the ids differ, and reading further would miss changes or mistake others for them.
   *
   * @param position 0 to the newest position; 0 for the log's origin, which never changes while the
   *     log lives
   * @return 1 to 128 printable ASCII characters; fails with {@code Permanent} if the log has no
   *     such position
   */
  CompletionStage<String> logId(long position);

  /** Returns the retained positions. */
  CompletionStage<Window> window();

  /**
   * Records that a named consumer has every change up to a position and needs the following ones.
   * The first call registers the consumer, durably. The source does not retain changes for ever,
   * but it reports dropping a change that a registered consumer needs: in its log, in its
   * statistics, and by the error of this method.
   *
   * <p>Fails with {@code Permanent} if the change after {@code upTo} has been dropped, and names
   * the oldest that is retained, or if the collection has no such position. Needs {@link
   * Capability#CHANGE_CONSUMERS}.
   *
   * @param consumer its name, 1 to 128 characters; at most 64 per collection
   * @param upTo the last position that it has; 0 for none
   * @return how much longer the first change that it needs will be retained, as far as can be
   *     predicted
   */
  default CompletionStage<Duration> consumed(String consumer, long upTo) {
    return CompletableFuture.failedFuture(unsupported());
  }

  /**
   * Removes a consumer that needs no further changes. Succeeds if there is none of that name. Needs
   * {@link Capability#CHANGE_CONSUMERS}.
   */
  default CompletionStage<@Nullable Void> forget(String consumer) {
    return CompletableFuture.failedFuture(unsupported());
  }

  private static KvException unsupported() {
    return new KvException.UnsupportedCapability(Capability.CHANGE_CONSUMERS, "this change source");
  }

  /** The retained positions of a log. Immutable. */
  final class Window {
    private final long oldest;
    private final long newest;

    private Window(long oldest, long newest) {
      this.oldest = oldest;
      this.newest = newest;
    }

    /**
     * Returns a window.
     *
     * @param oldest the oldest retained position; one above {@code newest} if none is
     * @param newest the last committed position; 0 before the first
     */
    public static Window of(long oldest, long newest) {
      return new Window(oldest, newest);
    }

    /** Returns the oldest retained position; one above {@link #newest()} if none is. */
    public long oldest() {
      return oldest;
    }

    /** Returns the last committed position; 0 before the first. */
    public long newest() {
      return newest;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Window that && oldest == that.oldest && newest == that.newest;
    }

    @Override
    public int hashCode() {
      return 31 * Long.hashCode(oldest) + Long.hashCode(newest);
    }

    @Override
    public String toString() {
      return "Window[oldest=" + oldest + ", newest=" + newest + "]";
    }
  }

  /** One committed change. Immutable. */
  final class Change {
    private final long position;
    private final Row row;

    private Change(long position, Row row) {
      this.position = position;
      this.row = Objects.requireNonNull(row, "row");
    }

    /**
     * Returns a change.
     *
     * @param position its position in the log
     * @param row the row after the change, with the version that the leader issued or kept
     */
    public static Change of(long position, Row row) {
      return new Change(position, row);
    }

    /** Returns the position in the log. */
    public long position() {
      return position;
    }

    /** Returns the row after the change, with the version that the leader issued or kept. */
    public Row row() {
      return row;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Change that && position == that.position && row.equals(that.row);
    }

    @Override
    public int hashCode() {
      return 31 * Long.hashCode(position) + row.hashCode();
    }

    @Override
    public String toString() {
      return "Change[position=" + position + ", row=" + row + "]";
    }
  }

  /** The result of one read: {@link Data}, {@link Fenced} or {@link Lifted}. */
  sealed interface Batch {
    /** Returns the last position of the batch, after which the next read begins. */
    long position();
  }

  /** Some changes; none if the wait was over. Immutable. */
  final class Data implements Batch {
    private final List<Change> changes;
    private final long position;

    private Data(List<Change> changes, long position) {
      this.changes = List.copyOf(changes);
      this.position = position;
    }

    /** Returns a batch of changes whose last position is given. */
    public static Data of(List<Change> changes, long position) {
      return new Data(changes, position);
    }

    /** Returns the changes in commit order. */
    public List<Change> changes() {
      return changes;
    }

    @Override
    public long position() {
      return position;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Data that
          && position == that.position
          && changes.equals(that.changes);
    }

    @Override
    public int hashCode() {
      return 31 * Long.hashCode(position) + changes.hashCode();
    }

    @Override
    public String toString() {
      return "Data[changes=" + changes + ", position=" + position + "]";
    }
  }

  /** A fence is raised here: no change follows until it is lifted. Immutable. */
  final class Fenced implements Batch {
    private final Gate.Fence fence;

    private Fenced(Gate.Fence fence) {
      this.fence = Objects.requireNonNull(fence, "fence");
    }

    /** Returns the batch of a fence. */
    public static Fenced of(Gate.Fence fence) {
      return new Fenced(fence);
    }

    /** Returns the fence. */
    public Gate.Fence fence() {
      return fence;
    }

    @Override
    public long position() {
      return fence.position();
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Fenced that && fence.equals(that.fence);
    }

    @Override
    public int hashCode() {
      return fence.hashCode();
    }

    @Override
    public String toString() {
      return "Fenced[fence=" + fence + "]";
    }
  }

  /** The fence of an attempt was lifted here, and writes follow. Immutable. */
  final class Lifted implements Batch {
    private final String attempt;
    private final long position;

    private Lifted(String attempt, long position) {
      this.attempt = Objects.requireNonNull(attempt, "attempt");
      this.position = position;
    }

    /** Returns the batch of a lifting, at its position. */
    public static Lifted of(String attempt, long position) {
      return new Lifted(attempt, position);
    }

    /** Returns the attempt whose fence was lifted. */
    public String attempt() {
      return attempt;
    }

    @Override
    public long position() {
      return position;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Lifted that
          && position == that.position
          && attempt.equals(that.attempt);
    }

    @Override
    public int hashCode() {
      return 31 * Long.hashCode(position) + attempt.hashCode();
    }

    @Override
    public String toString() {
      return "Lifted[attempt=" + attempt + ", position=" + position + "]";
    }
  }
}
