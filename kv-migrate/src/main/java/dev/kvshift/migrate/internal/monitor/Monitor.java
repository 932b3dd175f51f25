package dev.kvshift.migrate.internal.monitor;

import dev.kvshift.api.KvException;
import dev.kvshift.migrate.api.HostPlan;
import dev.kvshift.migrate.api.HostStatus;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.internal.context.BackgroundTask;
import dev.kvshift.migrate.internal.host.Host;
import dev.kvshift.migrate.internal.stream.Brokers;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.admin.Admin;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the state of all collections of a plan again and again, from both stores and the broker.
 * Takes no task and changes nothing, so any number may run, anywhere. Safe for use by many threads.
 */
public final class Monitor extends BackgroundTask {
  private static final Logger LOG = LoggerFactory.getLogger(Monitor.class);
  private static final Duration ANSWER = Duration.ofSeconds(10);
  private static final int READ_AT_ONCE = 4;

  private final HostPlan plan;
  private final Duration interval;
  private final Admin admin;
  private final List<MonitoredCollection> collections;
  private final ExecutorService readers;
  private volatile @Nullable List<HostStatus.Host> hosts;

  /** Creates a monitor; {@link #start()} starts it. */
  public Monitor(HostPlan plan, Duration interval) {
    super("kvshift-monitor");
    this.plan = plan;
    this.interval = interval;
    MigrationPlan first = plan.collections().get(0);
    this.admin = new Brokers(first.bootstrapServers(), first.kafkaProperties()).admin(ANSWER);
    this.collections = plan.collections().stream().map(MonitoredCollection::new).toList();
    this.readers =
        Executors.newFixedThreadPool(
            READ_AT_ONCE,
            work -> {
              Thread thread = new Thread(work, "kvshift-monitor-reader");
              thread.setDaemon(true);
              return thread;
            });
  }

  @Override
  protected void run() {
    List<AtomicBoolean> busy = collections.stream().map(each -> new AtomicBoolean()).toList();
    try (admin) {
      while (!isClosing()) {
        for (int i = 0; i < collections.size(); i++) {
          read(collections.get(i), busy.get(i));
        }
        hosts = readHosts();
        pause(interval);
      }
    } finally {
      readers.shutdownNow();
    }
  }

  /** Reads a collection on a thread of its own, unless the last reading has not ended. */
  private void read(MonitoredCollection collection, AtomicBoolean isBusy) {
    if (isBusy.compareAndSet(false, true)) {
      CompletableFuture.runAsync(() -> collection.read(admin), readers)
          .whenComplete(
              (done, error) -> {
                isBusy.set(false);
                if (error != null && !isClosing()) {
                  LOG.error("collection {} cannot be read", collection.name(), error);
                }
              });
    }
  }

  private @Nullable List<HostStatus.Host> readHosts() {
    try {
      return Host.members(plan);
    } catch (KvException e) {
      if (!isClosing()) {
        LOG.warn("the hosts cannot be read: {}", e.getMessage());
      }
      return null;
    }
  }

  /** Returns the name of the plan. */
  String name() {
    return plan.name();
  }

  /** Returns the time between two readings. */
  Duration interval() {
    return interval;
  }

  List<MonitoredCollection> collections() {
    return collections;
  }

  /** Returns the live hosts; null if the broker did not answer. */
  @Nullable List<HostStatus.Host> hosts() {
    return hosts;
  }
}
