package dev.kvshift.migrate.api;

import dev.kvshift.spi.Phase;
import java.time.Instant;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * The state of a migration as both stores know it.
 *
 * @param collection the collection's name
 * @param source the source's gate and change log
 * @param stream the stream's position, or null until the migration is prepared
 * @param copy the copy's tasks
 * @param backFill the last back-fill of listed keys, or null if there was none
 * @param verify the last comparison, without its keys, or null if there was none
 * @param quarantine the keys whose newest row the target can never hold
 * @param noWayBack why there would be no way back after a move; null if there would be one
 * @param takenBack when the pass ended after which the collection was taken back from an earlier
 *     move; null if it never was
 * @param events the last ten events, oldest first, as JSON
 */
public record MigrationStatus(
    String collection,
    Source source,
    @Nullable Stream stream,
    Copy copy,
    @Nullable BackFillReport backFill,
    @Nullable VerifyReport verify,
    Quarantine quarantine,
    @Nullable String noWayBack,
    @Nullable Instant takenBack,
    List<String> events) {
  /** Copies the list. */
  public MigrationStatus {
    events = List.copyOf(events);
  }

  /**
   * The state of the source.
   *
   * @param phase the phase of the collection
   * @param epoch the epoch of the gate
   * @param isFenced whether a fence is in place
   * @param newestPosition the last position of the change log
   * @param floor F, the version above which the target issues its own, or empty before the move
   */
  public record Source(
      Phase phase, long epoch, boolean isFenced, long newestPosition, OptionalLong floor) {}

  /**
   * The state of the stream.
   *
   * @param position the change-log position up to which the topic holds all changes
   * @param keptUntil when the source may drop the changes after it, as of the last time the stream
   *     advanced, or null if the source does not say
   */
  public record Stream(long position, @Nullable Instant keptUntil) {}

  /**
   * The state of the copy.
   *
   * @param tasks number of tasks; 0 until they are planned
   * @param tasksDone number of finished tasks
   * @param counts the accounting so far
   * @param snapshot the oldest snapshot that rows were copied from; null if all were copied from
   *     the source
   */
  public record Copy(
      int tasks, int tasksDone, CopyCounts counts, @Nullable CopiedSnapshot snapshot) {
    /** Creates the state of a copy from the source. */
    public Copy(int tasks, int tasksDone, CopyCounts counts) {
      this(tasks, tasksDone, counts, null);
    }
  }

  /**
   * The state of the quarantine.
   *
   * @param keys number of quarantined keys
   * @param first the first 20 of them
   * @param acceptedLosses number of keys that have left it as losses that a person has accepted
   */
  public record Quarantine(int keys, List<RejectedKey> first, int acceptedLosses) {
    /** Copies the list. */
    public Quarantine {
      first = List.copyOf(first);
    }
  }
}
