package dev.kvshift.migrate.internal.host;

import dev.kvshift.api.KvException;
import dev.kvshift.migrate.api.HostPlan;
import dev.kvshift.migrate.api.HostStatus;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.migrate.internal.context.BackgroundTask;
import dev.kvshift.migrate.internal.stream.Brokers;
import dev.kvshift.migrate.internal.task.Holder;
import dev.kvshift.migrate.internal.task.TaskGroup;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A process that takes tasks of all collections of a plan. Any number of them, on any number of
 * machines, share the work; one that dies is replaced once its leases are over.
 */
public final class Host implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Host.class);
  private static final Duration LOOK = Duration.ofMillis(500);

  private final TaskGroup group;
  private final List<HostedCollection> collections;
  private final Renewals renewals;

  /**
   * Joins the hosts of the plan.
   *
   * @param groups leads collections that move together
   */
  public Host(HostPlan plan, Groups groups, ProgressListener listener) {
    Holder holder = Holder.ofProcess(plan.lease());
    group = new TaskGroup(brokers(plan), plan.name(), holder);
    collections =
        plan.collections().stream()
            .map(each -> each.collection())
            .map(name -> new HostedCollection(plan, name, holder, group::has, groups, listener))
            .toList();
    renewals = new Renewals(plan.lease());
    renewals.start();
    group.start();
    LOG.info("host {} takes tasks of {} collections", holder.name(), collections.size());
  }

  /**
   * Returns the live hosts of a plan.
   *
   * @throws KvException.Transient if the broker does not answer
   */
  public static List<HostStatus.Host> members(HostPlan plan) {
    return TaskGroup.members(brokers(plan), plan.name());
  }

  private static Brokers brokers(HostPlan plan) {
    MigrationPlan first = plan.collections().get(0);
    return new Brokers(first.bootstrapServers(), first.kafkaProperties());
  }

  /**
   * Takes and does tasks until the thread is interrupted.
   *
   * @throws KvException if the broker refuses this process
   */
  public void run() {
    try {
      while (true) {
        group.check();
        for (HostedCollection collection : collections) {
          look(collection);
        }
        TimeUnit.MILLISECONDS.sleep(LOOK.toMillis());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Looks for tasks; a store that does not answer is asked again at the next look. */
  private static void look(HostedCollection collection) throws InterruptedException {
    try {
      collection.look();
    } catch (KvException e) {
      if (Thread.interrupted()) {
        throw new InterruptedException();
      }
      LOG.warn("the tasks of a collection cannot be read: {}", e.getMessage());
    }
  }

  /**
   * Leaves all tasks to other hosts, with what they have done so far: within seconds if the stores
   * answer.
   */
  @Override
  public void close() {
    collections.forEach(HostedCollection::handOver);
    collections.forEach(HostedCollection::close);
    renewals.close();
    group.close();
  }

  /** Renews the leases of all tasks, three times in the time of a lease. */
  private final class Renewals extends BackgroundTask {
    private static final int TIMES_PER_LEASE = 3;

    private final Duration interval;

    Renewals(Duration lease) {
      super("kvshift-leases");
      interval = lease.dividedBy(TIMES_PER_LEASE);
    }

    @Override
    protected void run() {
      while (!isClosing()) {
        pause(interval);
        for (HostedCollection collection : collections) {
          renew(collection);
        }
      }
    }

    private void renew(HostedCollection collection) {
      try {
        collection.renew();
      } catch (KvException e) {
        LOG.warn("leases cannot be renewed: {}", e.getMessage());
      }
    }
  }
}
