package dev.kvshift.migrate.api;

import dev.kvshift.spi.Phase;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How far a migration has come, as both stores know it.
 *
 * @param collection the collection's name
 * @param phase the source's phase
 * @param epoch the source's epoch
 * @param fenced whether a fence stands
 * @param prepared whether the migration has begun
 * @param newestPosition the last position of the source's change log
 * @param streamedPosition up to which position the topic holds the changes; −1 before it is
 *     prepared
 * @param keptUntil until when the source keeps the changes that the topic lacks, as it said when
 *     the stream last moved; null where it does not tell
 * @param copyTasks how many tasks the copy has; 0 before it is planned
 * @param copyTasksDone how many of them are done
 * @param copy the copy's accounting so far
 * @param verify the last comparison, without keys; null before one
 * @param quarantined how many keys are in quarantine, 10,000 at most
 * @param floor the version above which the target's own begin; 0 before the move
 * @param events the last events, oldest first, as JSON
 */
public record MigrationStatus(
    String collection,
    Phase phase,
    long epoch,
    boolean fenced,
    boolean prepared,
    long newestPosition,
    long streamedPosition,
    @Nullable Instant keptUntil,
    int copyTasks,
    int copyTasksDone,
    CopyReport copy,
    @Nullable VerifyReport verify,
    int quarantined,
    long floor,
    List<String> events) {
  public MigrationStatus {
    events = List.copyOf(events);
  }
}
