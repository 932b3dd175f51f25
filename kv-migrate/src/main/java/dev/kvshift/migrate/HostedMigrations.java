package dev.kvshift.migrate;

import dev.kvshift.api.KvException;
import dev.kvshift.migrate.api.CutoverTime;
import dev.kvshift.migrate.api.HostPlan;
import dev.kvshift.migrate.api.HostStatus;
import dev.kvshift.migrate.api.KeyHistory;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.QuietPeriod;
import dev.kvshift.migrate.api.RejectedKey;
import dev.kvshift.migrate.api.RetireReport;
import dev.kvshift.migrate.api.RunEnd;
import dev.kvshift.migrate.api.ScanRate;
import dev.kvshift.migrate.api.TaskKind;
import dev.kvshift.migrate.api.Way;
import dev.kvshift.migrate.internal.host.Explainer;
import dev.kvshift.migrate.internal.host.Host;
import dev.kvshift.migrate.internal.host.Reset;
import dev.kvshift.migrate.internal.host.Retirement;
import dev.kvshift.migrate.internal.host.TaskDesk;
import dev.kvshift.migrate.internal.ledger.Aim;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.StoreKey;
import java.time.Clock;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

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
   *
   * @param kind any but a step, a cutover and a run, which have methods of their own
   */
  public void ask(String collection, TaskKind kind) {
    if (kind == TaskKind.COPY || kind == TaskKind.VERIFY) {
      desk(collection).ask(TaskKind.LEAD);
    }
    desk(collection).ask(kind);
  }

  /**
   * Asks for everything that is not done yet, from the phase in which the collection is now: hosts
   * ask for one task after the other, and another one goes on if theirs dies. Replaces steps and
   * cutovers that were asked for before, and another run. It ends at the first failure, and once
   * somebody has taken the collection another way, wiped it, or asked for a step or a cutover.
   *
   * @param way the kind of cutover
   * @param end where it ends; whether a cutover keeps a way back is decided before, by {@link
   *     Migration#keepWayBack} or {@link Migration#moveForGood}, and one that would do otherwise
   *     does not happen
   * @param givenUp services that need not be ready for its cutover
   * @throws dev.kvshift.migrate.api.MigrationException.CutoverRefused if the other kind of cutover
   *     has begun
   */
  public void run(String collection, Way way, RunEnd end, Set<String> givenUp) {
    desk(collection).askRun(way, end, givenUp);
  }

  /**
   * Asks for steps to a phase before new-only, forward or back, from the one in which the
   * collection is now. Replaces steps and cutovers that were asked for before. They are taken up by
   * another host if theirs dies, never repeated after a failure, and never go on once somebody has
   * taken the collection the other way.
   *
   * @throws dev.kvshift.migrate.api.MigrationException.CutoverRefused if the collection has moved
   */
  public void step(String collection, Phase target) {
    desk(collection).askStep(target);
  }

  /**
   * Asks for a cutover from the phase in which the collection is now, or to complete one. Replaces
   * steps and cutovers that were asked for before; see {@link #step}.
   *
   * @param givenUp services that need not be ready for it
   */
  public void cutover(String collection, Set<String> givenUp) {
    cutover(List.of(collection), givenUp, CutoverTime.NOW);
  }

  /**
   * Asks for a cutover of one collection, or of several that move together, all or none. Replaces
   * steps and cutovers that were asked for before; see {@link #step}.
   *
   * @param together the collections; all of a group, always in the same order
   * @param givenUp services that need not be ready for it
   * @param time when it begins. One that waits is made ready first, under each process that leads
   *     the collection; if its hour passes while no host works, it is refused an hour later.
   */
  public void cutover(List<String> together, Set<String> givenUp, CutoverTime time) {
    List<String> group = together.size() == 1 ? List.of() : together;
    Aim.Hold hold = time.isHeld() ? new Aim.Hold(time.until(), 0) : null;
    // The first one's record is the cutover of all, so that it comes last.
    for (int i = together.size() - 1; i >= 0; i--) {
      desk(together.get(i)).askCutover(givenUp, group, hold);
    }
  }

  /**
   * Lets a cutover that waits go on.
   *
   * @param collection the collection, or the first of its group
   * @throws dev.kvshift.migrate.api.MigrationException.CutoverRefused if none waits
   */
  public void letGo(String collection) {
    desk(collection).letGo();
  }

  /**
   * Takes a cutover back that hosts were asked for, or a run that is to end with one. Once this
   * returns, they do not move any of the collections.
   *
   * @param together the collections, in the order in which they were given
   * @throws dev.kvshift.migrate.api.MigrationException.CutoverRefused if there is none, or if it
   *     was too late
   */
  public void takeBack(List<String> together) {
    desk(together.get(0)).takeBack();
    together.subList(1, together.size()).forEach(name -> desk(name).leaveGroup());
  }

  /**
   * Ends the run, the step and the cutover that hosts were asked for. Once this returns, they do
   * not take the collection anywhere.
   *
   * @param why the reason, for people
   * @throws dev.kvshift.migrate.api.MigrationException.CutoverRefused if it has moved meanwhile
   */
  public void endAll(String collection, String why) {
    desk(collection).endAll(why);
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

  /**
   * Sets the rate at which each process may scan a collection, also of copies and comparisons that
   * run, within seconds.
   *
   * @param scans the rate, or null for that of the configuration
   */
  public void set(String collection, @Nullable ScanRate scans) {
    desk(collection).set(scans);
  }

  /** Records a command that somebody has given for a collection. */
  public void note(String collection, String command) {
    desk(collection).note(command);
  }

  /**
   * Returns what {@link #reset} or {@link #abort} would delete. Changes nothing.
   *
   * @throws dev.kvshift.migrate.api.MigrationException.CutoverRefused if it must not be deleted
   */
  public List<String> previewReset(String collection) {
    return new Reset(plan.collection(collection), Clock.systemUTC()).preview();
  }

  /**
   * Deletes the copy of a collection, which can then be prepared and copied anew. Hosts leave the
   * collection meanwhile. Another call continues one that was interrupted.
   *
   * @return what was deleted
   * @throws dev.kvshift.migrate.api.MigrationException.CutoverRefused if the collection is not in
   *     phase legacy, or a side is not the one of this migration; nothing was deleted
   */
  public List<String> reset(String collection) {
    return new Reset(plan.collection(collection), Clock.systemUTC()).run(false);
  }

  /** Wipes like {@link #reset}, and lets the source forget the migration. */
  public List<String> abort(String collection) {
    return new Reset(plan.collection(collection), Clock.systemUTC()).run(true);
  }

  /**
   * Returns what {@link #retire} would delete. Changes nothing.
   *
   * @throws dev.kvshift.migrate.api.MigrationException.CutoverRefused as it would
   */
  public RetireReport previewRetire(String collection, QuietPeriod quiet) {
    return new Retirement(plan.collection(collection), Clock.systemUTC()).preview(quiet);
  }

  /**
   * Deletes what the migration of a moved collection has left, but for its certificate and its
   * events, and restores the settings that the target had changed for the import. Touches no row.
   *
   * @param quiet the time for which the collection must have been left alone
   * @return what was done, and what a person has to do
   * @throws dev.kvshift.migrate.api.MigrationException.CutoverRefused if the collection has not
   *     moved for that long, somebody has used it at the source since, or a side is not the one of
   *     this migration; nothing was deleted
   */
  public RetireReport retire(String collection, QuietPeriod quiet) {
    return new Retirement(plan.collection(collection), Clock.systemUTC()).run(quiet);
  }

  /**
   * Explains why a key is on the target as it is. Reads one partition of the topic; changes
   * nothing.
   *
   * @param key the key; its shard is empty
   */
  public KeyHistory explain(String collection, StoreKey key) {
    return new Explainer(plan.collection(collection), Clock.systemUTC()).explain(key);
  }

  /** Passes every quarantined key on, with the reason of each. */
  public void quarantined(String collection, Consumer<RejectedKey> each) {
    desk(collection).quarantined(each);
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
