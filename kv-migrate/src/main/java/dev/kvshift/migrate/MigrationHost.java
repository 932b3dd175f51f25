package dev.kvshift.migrate;

import dev.kvshift.migrate.api.CutoverReport;
import dev.kvshift.migrate.api.HostPlan;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.migrate.internal.cutover.Mandate;
import dev.kvshift.migrate.internal.host.Groups;
import dev.kvshift.migrate.internal.host.Host;
import java.time.Instant;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A host: a process that does what people ask for collections, see {@link HostedMigrations}, and
 * shares that with all other hosts of the same plan. Adding one makes the work faster; one that is
 * killed loses nothing, because every task and its progress are durable.
 *
 * <p>Called by one thread. {@link #run} fails with {@link dev.kvshift.api.KvException} if the
 * broker refuses this process; the failure of a task is recorded with it, and ends no host.
 *
 * <p>Closing leaves the tasks to other hosts, takes 20 s at most for each collection, and leaves
 * the stores open.
 */
public final class MigrationHost implements AutoCloseable {
  private final Host host;

  private MigrationHost(Host host) {
    this.host = host;
  }

  /**
   * Joins the hosts of a plan.
   *
   * @param listener receives the progress of the tasks that this host does
   */
  public static MigrationHost join(HostPlan plan, ProgressListener listener) {
    return new MigrationHost(new Host(plan, new LedHere(), listener));
  }

  /** Groups whose collections are led by migrations of this process. */
  private static final class LedHere implements Groups {
    @Override
    public void certify(
        List<MigrationPlan> group, @Nullable Instant until, ProgressListener listener) {
      lead(
          group,
          listener,
          all -> {
            all.forEach(each -> each.certify(until));
            return all;
          });
    }

    @Override
    public List<CutoverReport> cutOver(
        List<MigrationPlan> group, Mandate mandate, ProgressListener listener) {
      return lead(group, listener, all -> Migration.cutoverAll(all, mandate));
    }

    private static <T> T lead(
        List<MigrationPlan> group, ProgressListener listener, Function<List<Migration>, T> work) {
      List<Migration> all = group.stream().map(plan -> Migration.of(plan, listener)).toList();
      try {
        return work.apply(all);
      } finally {
        all.forEach(Migration::close);
      }
    }
  }

  /** Takes and does tasks until the thread is interrupted. */
  public void run() {
    host.run();
  }

  @Override
  public void close() {
    host.close();
  }
}
