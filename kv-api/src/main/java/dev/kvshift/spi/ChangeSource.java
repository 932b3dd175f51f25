package dev.kvshift.spi;

import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * The committed changes of one collection in commit order. Positions are dense, from 1, and never
 * given twice. Each change is handed out exactly once per read of its position, as long as it is
 * retained. Safe for use by many threads.
 */
public interface ChangeSource {
  /**
   * Reads what follows a position, waiting for it where nothing does yet.
   *
   * <p>A batch of data ends before a fence or its lifting, which then make a batch of their own.
   *
   * @param after the last position that the caller has; 0 to begin
   * @param maxBytes how large a batch may grow; one larger change is given alone
   * @param wait how long to wait for a first change; then an empty batch is given
   * @return the batch; fails with {@code Permanent} when changes above {@code after} are no longer
   *     retained, naming the oldest that is
   */
  CompletionStage<Batch> read(long after, int maxBytes, Duration wait);

  /**
   * Returns the identity of the log's history up to a position. Two logs agree on a position's id
   * only if they have the same changes up to it. A reader keeps the id with its position, and when
   * it resumes compares the two: after a restore from a backup, or when the log was made anew, the
   * ids differ, and reading on would miss changes or take others for them.
   *
   * @param position 0 to the newest position; 0 for the log's origin, which never changes while the
   *     log lives
   * @return 1 to 128 printable ASCII characters; fails with {@code Permanent} if the log has no
   *     such position
   */
  CompletionStage<String> logId(long position);

  /** Returns which positions are retained. */
  CompletionStage<Window> window();

  /**
   * Tells that a named consumer has every change up to a position and needs what follows. The first
   * time registers it, durably. The source's retention does not wait for it for ever, but what it
   * drops of what a registered consumer needs, it says: in its log, in its statistics, and by the
   * error of this method.
   *
   * <p>Fails with {@code Permanent} where the change after {@code upTo} was dropped already, naming
   * the oldest that is retained, and where the collection has no such position. Needs {@link
   * Capability#CHANGE_CONSUMERS}.
   *
   * @param consumer its name, 1 to 128 letters; at most 64 a collection
   * @param upTo the last position that it has; 0 for none
   * @return how long the first change that it needs is retained yet, as far as can be foreseen
   */
  default CompletionStage<Duration> consumed(String consumer, long upTo) {
    return CompletableFuture.failedFuture(unsupported());
  }

  /**
   * Forgets a consumer, which needs nothing any more. Succeeds where there is none. Needs {@link
   * Capability#CHANGE_CONSUMERS}.
   */
  default CompletionStage<@Nullable Void> forget(String consumer) {
    return CompletableFuture.failedFuture(unsupported());
  }

  private static KvException unsupported() {
    return new KvException.UnsupportedCapability(Capability.CHANGE_CONSUMERS, "this change source");
  }

  /**
   * What is retained.
   *
   * @param oldest the oldest retained position; one above {@code newest} where none is
   * @param newest the last committed position; 0 where there was none yet
   */
  record Window(long oldest, long newest) {}

  /**
   * One committed change.
   *
   * @param position its place in the log
   * @param row the row as the change left it; its version was drawn or kept by the leader
   */
  record Change(long position, Row row) {}

  /** What a read gives. */
  sealed interface Batch {
    /** The last position that the batch covers, to read on from. */
    long position();
  }

  /** Some changes; none where the wait was over. */
  record Data(List<Change> changes, long position) implements Batch {
    public Data {
      changes = List.copyOf(changes);
    }
  }

  /** A fence stands from here on: no change follows until it is lifted. */
  record Fenced(Gate.Fence fence) implements Batch {
    @Override
    public long position() {
      return fence.position();
    }
  }

  /** The fence of the attempt was lifted, and writes go on. */
  record Lifted(String attempt, long position) implements Batch {}
}
