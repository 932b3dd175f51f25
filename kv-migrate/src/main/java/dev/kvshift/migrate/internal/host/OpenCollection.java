package dev.kvshift.migrate.internal.host;

import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.internal.apply.Quarantine;
import dev.kvshift.migrate.internal.apply.TargetWriter;
import dev.kvshift.migrate.internal.context.RunContext;
import dev.kvshift.migrate.internal.context.WorkerPool;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.ledger.QuarantinedKeys;
import dev.kvshift.migrate.internal.ledger.Rates;
import java.time.Clock;

/**
 * A prepared collection, and what all tasks of this process that work on it share: its threads, its
 * limit on writes in flight, and its quarantine. Closing ends the threads.
 *
 * @param setup both sides, open
 * @param ledger the migration's durable state
 * @param context limits, clocks and threads
 * @param quarantined the quarantined keys
 * @param quarantine adds to them
 * @param writer writes to the target
 */
public record OpenCollection(
    MigrationSetup setup,
    Ledger ledger,
    RunContext context,
    QuarantinedKeys quarantined,
    Quarantine quarantine,
    TargetWriter writer)
    implements AutoCloseable {
  /** Opens a collection whose migration is prepared. */
  public static OpenCollection of(
      MigrationPlan plan, MigrationSetup setup, Ledger ledger, Clock clock) {
    RunContext context =
        new RunContext(
                plan.collection(),
                plan.layout(),
                setup.source(),
                setup.target(),
                plan.options(),
                clock,
                new WorkerPool("kvshift-" + plan.collection()))
            .copyingFrom(plan.copyFrom());
    QuarantinedKeys quarantined = new QuarantinedKeys(ledger);
    Quarantine quarantine =
        new Quarantine(setup.topic(), quarantined, plan.options().maxRejected());
    OpenCollection opened =
        new OpenCollection(
            setup, ledger, context, quarantined, quarantine, new TargetWriter(context, quarantine));
    opened.applyRates();
    return opened;
  }

  /**
   * Takes over the rate that a person has set, or that of the configuration for this time of the
   * day if nobody has.
   */
  public void applyRates() {
    context.throttle().set(Rates.now(ledger, context.options(), context.clock()));
  }

  @Override
  public void close() {
    context.workers().close();
    quarantine.close();
  }
}
