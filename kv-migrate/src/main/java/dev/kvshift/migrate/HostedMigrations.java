package dev.kvshift.migrate;

import dev.kvshift.api.KvException;
import dev.kvshift.migrate.api.HostPlan;
import dev.kvshift.migrate.api.HostStatus;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.TaskKind;
import dev.kvshift.migrate.internal.host.Host;
import dev.kvshift.migrate.internal.host.TaskDesk;
import java.time.Clock;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The migrations that hosts do: records what is wanted, and reads how far it is. What is wanted is
 * kept in the target's metadata, so it is done whenever a host runs, also if none does now.
 *
 * <p>Safe for use by many threads. Methods fail with {@link KvException} if a store or the broker
 * does not answer.
 */
public final class HostedMigrations {
  private final HostPlan plan;
  private final Map<String, TaskDesk> desks = new LinkedHashMap<>();

  /** Uses the stores and the broker of a plan; nothing is read or written yet. */
  public HostedMigrations(HostPlan plan) {
    this.plan = plan;
    for (MigrationPlan collection : plan.collections()) {
      desks.put(collection.collection(), new TaskDesk(collection, Clock.systemUTC()));
    }
  }

  /** Returns the names of the collections, in the order of the plan. */
  public List<String> collections() {
    return List.copyOf(desks.keySet());
  }

  /**
   * Asks for a task, and for the leader that it needs. A running task goes on; what is done stays
   * done, except a comparison, which is made again; what has failed is tried again.
   */
  public void ask(String collection, TaskKind kind) {
    if (kind == TaskKind.COPY || kind == TaskKind.VERIFY) {
      desk(collection).ask(TaskKind.LEAD);
    }
    desk(collection).ask(kind);
  }

  /**
   * Keeps hosts off a collection: they hand over its tasks and take none. It is not streamed
   * meanwhile, and the source keeps its changes for a limited time.
   */
  public void pause(String collection) {
    desk(collection).pause();
  }

  /** Lets hosts work on a collection again. */
  public void resume(String collection) {
    desk(collection).resume();
  }

  /** Records a command that somebody has given for a collection. */
  public void note(String collection, String command) {
    desk(collection).note(command);
  }

  /** Reads the state of a collection. */
  public HostStatus.Collection status(String collection) {
    return desk(collection).read();
  }

  /** Returns the live hosts. */
  public List<HostStatus.Host> hosts() {
    return Host.members(plan);
  }

  private TaskDesk desk(String collection) {
    TaskDesk desk = desks.get(collection);
    if (desk == null) {
      throw HostPlan.unknown(collection, collections());
    }
    return desk;
  }
}
