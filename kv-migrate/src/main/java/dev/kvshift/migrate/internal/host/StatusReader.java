package dev.kvshift.migrate.internal.host;

import com.google.gson.JsonObject;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.MigrationStatus;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.copy.CopyTasks;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.ledger.Reports;
import dev.kvshift.migrate.internal.stream.StreamWriter;
import dev.kvshift.spi.ChangeSource;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.StoreCollection;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/** Reads how far a migration has come; changes nothing. */
public final class StatusReader {
  private static final int LISTED_EVENTS = 10;
  private static final int MAX_READ = 10_000;

  private StatusReader() {}

  public static MigrationStatus read(MigrationPlan plan, Ledger ledger) {
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
        CopyTasks.report(ledger),
        verified == null ? null : Reports.verify(verified),
        ledger.list(Ledger.QUARANTINE, MAX_READ).size(),
        state.floor(),
        events.subList(Math.max(0, events.size() - LISTED_EVENTS), events.size()));
  }
}
