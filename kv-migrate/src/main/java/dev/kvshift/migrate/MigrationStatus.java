package dev.kvshift.migrate;

import com.google.gson.JsonObject;
import dev.kvshift.spi.ChangeSource;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.StoreCollection;
import java.time.Duration;
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
  private static final int LISTED_EVENTS = 10;
  private static final int MAX_READ = 10_000;

  public MigrationStatus {
    events = List.copyOf(events);
  }

  static MigrationStatus read(MigrationPlan plan, Ledger ledger) {
    Duration patience = plan.options().patience();
    StoreCollection source =
        Await.patiently(
            patience, () -> plan.source().open(plan.collection(), plan.layout(), Claim.NONE));
    Gate.State state = Await.patiently(patience, () -> source.gate().state());
    ChangeSource.Window window = Await.patiently(patience, () -> source.changes().window());
    JsonObject stream = ledger.get(Ledger.STREAM);
    CopyTasks tasks = CopyTasks.read(ledger);
    JsonObject verified = ledger.get(Ledger.VERIFY);
    List<String> events =
        ledger.list(Ledger.EVENT, MAX_READ).values().stream().map(JsonObject::toString).toList();
    return new MigrationStatus(
        plan.collection(),
        state.phase(),
        state.epoch(),
        state.fence() != null,
        ledger.get(Ledger.CONFIG) != null,
        window.newest(),
        stream == null ? -1 : stream.get("position").getAsLong(),
        stream == null || !stream.has(StreamWriter.KEPT_UNTIL)
            ? null
            : Instant.parse(stream.get(StreamWriter.KEPT_UNTIL).getAsString()),
        tasks == null ? 0 : tasks.size(),
        tasks == null ? 0 : tasks.done(),
        Reports.copy(ledger),
        verified == null ? null : Reports.verify(verified),
        ledger.list(Ledger.QUARANTINE, MAX_READ).size(),
        state.floor(),
        events.subList(Math.max(0, events.size() - LISTED_EVENTS), events.size()));
  }
}
