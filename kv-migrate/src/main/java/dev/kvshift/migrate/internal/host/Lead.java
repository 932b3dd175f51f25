package dev.kvshift.migrate.internal.host;

import dev.kvshift.api.KvException;
import dev.kvshift.migrate.api.TaskKind;
import dev.kvshift.migrate.internal.context.BackgroundTask;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.ledger.TaskRecord;
import dev.kvshift.migrate.internal.ledger.TaskState;
import dev.kvshift.migrate.internal.task.HeldTask;
import dev.kvshift.migrate.internal.task.Holder;
import dev.kvshift.migrate.internal.task.TaskLost;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The lead of a collection, held by a run that a person has started. Taken at once from the host
 * that has it, which then leaves the collection, and given back at the end; if the run dies, a host
 * takes it after the lease. So nobody has to keep hosts off by hand.
 *
 * <p>Until the former leader notices, both stream. That is harmless: the broker fences the former
 * one's producer, and its progress is refused.
 */
public final class Lead extends BackgroundTask {
  private static final Logger LOG = LoggerFactory.getLogger(Lead.class);
  private static final int TIMES_PER_LEASE = 3;

  private final HeldTask<TaskRecord> held;
  private final boolean isWanted;
  private final Runnable each;

  private Lead(HeldTask<TaskRecord> held, boolean isWanted, Runnable each) {
    super("kvshift-lead");
    this.held = held;
    this.isWanted = isWanted;
    this.each = each;
  }

  /**
   * Takes the lead, and renews its lease until {@link #leave}.
   *
   * @param each called at each renewal
   */
  public static Lead take(Ledger ledger, String collection, Runnable each) {
    HeldTask.Task<TaskRecord> task =
        new HeldTask.Task<>(TaskRecord.key(TaskKind.LEAD), "the lead of collection " + collection);
    Holder holder = Holder.ofProcess(Holder.DEFAULT_LEASE);
    while (true) {
      TaskRecord found = ledger.get(task.key());
      boolean isWanted = found != null && found.state().isPending();
      if (found == null) {
        found = ledger.putIfAbsent(task.key(), TaskRecord.WANTED);
      }
      HeldTask<TaskRecord> held = HeldTask.take(ledger, task, found, holder);
      if (held != null) {
        Lead lead = new Lead(held, isWanted, each);
        lead.start();
        return lead;
      }
    }
  }

  @Override
  protected void run() {
    while (!isClosing()) {
      pause(Holder.DEFAULT_LEASE.dividedBy(TIMES_PER_LEASE));
      try {
        held.renew();
        each.run();
      } catch (TaskLost e) {
        throw e;
      } catch (KvException e) {
        LOG.warn("the lease of the lead cannot be renewed: {}", e.getMessage());
      }
    }
  }

  /** Gives the lead back to the hosts, if they are to have one. Fails never: the lease runs out. */
  public void leave() {
    close();
    try {
      held.end(isWanted ? TaskState::handedOver : TaskState::done);
    } catch (TaskLost e) {
      LOG.debug("another process leads by now", e);
    } catch (RuntimeException e) {
      LOG.warn("the lead was not given back; its lease runs out: {}", e.getMessage());
    }
  }
}
