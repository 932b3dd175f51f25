package dev.kvshift.migrate.internal.host;

import dev.kvshift.api.Bytes;
import dev.kvshift.migrate.api.CopyCounts;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.MigrationStatus;
import dev.kvshift.migrate.api.RejectedKey;
import dev.kvshift.migrate.api.VerifyReport;
import dev.kvshift.migrate.internal.backfill.BackFill;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.copy.CopyTasks;
import dev.kvshift.migrate.internal.cutover.WayBack;
import dev.kvshift.migrate.internal.ledger.Certificate;
import dev.kvshift.migrate.internal.ledger.Event;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.ledger.MigrationConfig;
import dev.kvshift.migrate.internal.ledger.QuarantinedKeys;
import dev.kvshift.migrate.internal.ledger.StreamProgress;
import dev.kvshift.migrate.internal.ledger.VerifyRecord;
import dev.kvshift.spi.ChangeSource;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.StoreCollection;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** Reads the state of a migration; changes nothing. */
public final class StatusReader {
  private static final int LISTED_EVENTS = 10;
  private static final int LISTED_KEYS = 20;

  private StatusReader() {}

  /** Reads the state from both stores. */
  public static MigrationStatus read(MigrationPlan plan, Ledger ledger) {
    Duration patience = plan.options().patience();
    StoreCollection source =
        Await.patiently(
            patience, () -> plan.source().open(plan.collection(), plan.layout(), Claim.NONE));
    Gate.State state = Await.patiently(patience, () -> source.gate().state());
    return new MigrationStatus(
        plan.collection(),
        source(source, state, patience),
        stream(ledger),
        copy(ledger),
        BackFill.last(ledger),
        verify(ledger),
        quarantine(ledger),
        WayBack.obstacle(plan, ledger),
        takenBack(ledger, state),
        events(ledger));
  }

  /** A proof counts once the source leads again, which begins another incarnation. */
  private static @Nullable Instant takenBack(Ledger ledger, Gate.State state) {
    Certificate proof = ledger.get(Certificate.BACK);
    return proof == null || state.incarnation() <= proof.subject().incarnation()
        ? null
        : Objects.requireNonNull(proof.back()).pass().ended();
  }

  private static MigrationStatus.Source source(
      StoreCollection source, Gate.State state, Duration patience) {
    ChangeSource.Window window = Await.patiently(patience, () -> source.changes().window());
    return new MigrationStatus.Source(
        state.phase(),
        state.epoch(),
        state.fence() != null,
        window.newest(),
        state.floor() == 0 ? OptionalLong.empty() : OptionalLong.of(state.floor()));
  }

  private static MigrationStatus.@Nullable Stream stream(Ledger ledger) {
    StreamProgress stream =
        ledger.get(MigrationConfig.KEY) == null ? null : ledger.get(StreamProgress.KEY);
    return stream == null
        ? null
        : new MigrationStatus.Stream(stream.position(), stream.keptUntil());
  }

  private static MigrationStatus.Copy copy(Ledger ledger) {
    CopyTasks tasks = CopyTasks.read(ledger);
    return tasks == null
        ? new MigrationStatus.Copy(0, 0, CopyCounts.NONE)
        : new MigrationStatus.Copy(
            tasks.size(), tasks.done(), tasks.counts(), CopyTasks.readSnapshot(ledger));
  }

  private static @Nullable VerifyReport verify(Ledger ledger) {
    VerifyRecord verified = ledger.get(VerifyRecord.KEY);
    return verified == null ? null : verified.report();
  }

  private static MigrationStatus.Quarantine quarantine(Ledger ledger) {
    List<RejectedKey> first = new ArrayList<>();
    AtomicInteger count = new AtomicInteger();
    QuarantinedKeys keys = new QuarantinedKeys(ledger);
    keys.forEach(
        entry -> {
          count.incrementAndGet();
          Bytes key = entry.topicKey();
          if (first.size() < LISTED_KEYS && key != null) {
            first.add(TaskDesk.rejected(entry.name(), key, entry.record()));
          }
        });
    return new MigrationStatus.Quarantine(count.get(), first, keys.accepted().size());
  }

  /** Reads the last ten events, oldest first, as JSON. */
  public static List<String> events(Ledger ledger) {
    Deque<String> last = new ArrayDeque<>();
    ledger.forEach(
        Event.ALL,
        (name, event) -> {
          if (last.size() == LISTED_EVENTS) {
            last.removeFirst();
          }
          last.addLast(event.toString());
        });
    return List.copyOf(last);
  }
}
