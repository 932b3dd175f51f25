package dev.kvshift.migrate.internal.host;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.migrate.api.HostStatus;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.RejectedKey;
import dev.kvshift.migrate.api.RunEnd;
import dev.kvshift.migrate.api.ScanRate;
import dev.kvshift.migrate.api.TaskKind;
import dev.kvshift.migrate.api.Way;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.copy.CopyTasks;
import dev.kvshift.migrate.internal.ledger.Aim;
import dev.kvshift.migrate.internal.ledger.Event;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.ledger.Machine;
import dev.kvshift.migrate.internal.ledger.Pause;
import dev.kvshift.migrate.internal.ledger.QuarantinedKey;
import dev.kvshift.migrate.internal.ledger.QuarantinedKeys;
import dev.kvshift.migrate.internal.ledger.Rates;
import dev.kvshift.migrate.internal.ledger.TaskRecord;
import dev.kvshift.migrate.internal.ledger.TaskState;
import dev.kvshift.migrate.internal.stream.TopicRecord;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.StoreCollection;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Records what people want of one collection, and reads what has come of it. */
public final class TaskDesk {
  /** A fence lives 60 s at most; some more for a slow leader. */
  private static final Duration LONGEST_FENCE = Duration.ofSeconds(70);

  private final MigrationPlan plan;
  private final Ledger ledger;
  private final Clock clock;

  /** Creates a desk; nothing is read or written yet. */
  public TaskDesk(MigrationPlan plan, Clock clock) {
    this.plan = plan;
    this.clock = clock;
    this.ledger = Ledger.of(plan, clock);
  }

  /**
   * Asks for a task. A running one goes on; what is done stays done, except a comparison, which is
   * made again.
   */
  public void ask(TaskKind kind) {
    ledger.update(
        TaskRecord.key(kind),
        found -> {
          if (found == null) {
            return TaskRecord.WANTED;
          }
          boolean stays = found.state().status() == TaskState.Status.DONE && isOnce(kind);
          return stays ? found : found.with(found.state().askedAgain());
        });
  }

  /**
   * Asks for steps to a phase before new-only, from the one in which the collection is now.
   *
   * @throws MigrationException.CutoverRefused if the collection has moved
   */
  public void askStep(Phase target) {
    Gate.State now = gate();
    if (!now.isLed()) {
      throw new MigrationException.CutoverRefused(
          "collection "
              + plan.collection()
              + " has moved: "
              + (now.isClockOrdered()
                  ? "no step is left but the commands finish and rollback"
                  : "there is no way back from NEW_ONLY, and no step that is left"));
    }
    if (target.compareTo(now.phase()) > 0) {
      ask(TaskKind.LEAD);
    }
    ask(TaskKind.STEP, new Aim(target, now.phase(), now.epoch()), "");
  }

  /**
   * Asks for a cutover from the phase in which the collection is now, or to complete one.
   *
   * @param givenUp the services that it leaves behind
   * @param group the collections that move together; empty if this one moves alone
   * @param hold what it waits for; null if it is not to wait
   */
  public void askCutover(Set<String> givenUp, List<String> group, Aim.@Nullable Hold hold) {
    ask(TaskKind.LEAD);
    Gate.State now = gate();
    String note =
        group.isEmpty() || group.get(0).equals(plan.collection())
            ? ""
            : "takes part in the cutover of " + group.get(0);
    ask(
        TaskKind.CUTOVER,
        new Aim(Phase.NEW_ONLY, now.phase(), now.epoch(), givenUp, group, hold, null),
        note);
  }

  /**
   * Asks for everything that is not done yet, from the phase in which the collection is now. The
   * same run goes on if somebody asks for it again; another one is replaced.
   *
   * @param givenUp the services that its cutover leaves behind
   * @throws MigrationException.CutoverRefused if the other kind of cutover has begun
   */
  public void askRun(Way way, RunEnd end, Set<String> givenUp) {
    Gate.State now = gate();
    way.requireFrom(plan.collection(), now.phase());
    Aim aim = Aim.ofRun(way, end, givenUp, now.phase(), now.epoch());
    TaskRecord present = ledger.get(TaskRecord.key(TaskKind.RUN));
    if (present == null || !goesOn(present, aim)) {
      withdraw(ledger, TaskKind.STEP, "run follows");
      withdraw(ledger, TaskKind.CUTOVER, "run follows");
    }
    ask(TaskKind.LEAD);
    replace(TaskKind.RUN, aim, end.text());
  }

  /**
   * Asks for a stage of a run, unless the run has asked for it before, whatever has come of that,
   * or somebody else has asked for another task of that kind since.
   */
  void askForRun(Aim run, Chain.Stage stage, Gate.State now) {
    if (stage.kind() != TaskKind.STEP && stage.kind() != TaskKind.CUTOVER) {
      ask(stage.kind());
      return;
    }
    Phase target = stage.phase() == null ? Phase.NEW_ONLY : stage.phase();
    Aim aim = run.ofStage(target, now.phase(), now.epoch());
    ledger.update(
        TaskRecord.key(stage.kind()),
        found -> {
          if (found == null) {
            return TaskRecord.WANTED.aimed(aim);
          }
          Aim former = found.aim();
          boolean isAsked = former != null && former.isOf(run.run()) && former.target() == target;
          boolean isAnothers = found.state().isPending() && !found.isOf(run.run());
          return isAsked || isAnothers ? found : found.aimed(aim);
        });
  }

  /**
   * Lets a cutover that waits go on.
   *
   * @throws MigrationException.CutoverRefused if none waits
   */
  public void letGo() {
    TaskState former =
        replaceCutover(
            found ->
                found.isOnHold()
                    ? found.aimed(Objects.requireNonNull(found.aim()).with(null))
                    : null);
    if (former == null) {
      throw noCutover("waits: give the command cutover --postpone");
    }
  }

  /**
   * Takes a cutover back, and the run that is to end with one. Once this returns, it happens no
   * more.
   *
   * @throws MigrationException.CutoverRefused if there is none, or if it was too late
   */
  public void takeBack() {
    String why = "taken back by " + Machine.user();
    TaskRecord run = ledger.get(TaskRecord.key(TaskKind.RUN));
    boolean isRun = run != null && run.state().isPending() && run.isToMove();
    if (isRun) {
      withdraw(ledger, TaskKind.RUN, why);
    }
    TaskState former =
        replaceCutover(
            found -> found.state().status() == TaskState.Status.DONE ? null : found.withdrawn(why));
    if (former == null && !isRun) {
      throw noCutover("is asked for");
    }
    awaitStays(former);
  }

  /**
   * Ends runs, steps and cutovers that hosts were asked for. Once this returns, they take the
   * collection nowhere.
   *
   * @throws MigrationException.CutoverRefused if the collection has moved meanwhile
   */
  public void endAll(String why) {
    withdraw(ledger, TaskKind.RUN, why);
    withdraw(ledger, TaskKind.STEP, why);
    TaskState former =
        replaceCutover(found -> found.state().isPending() ? found.withdrawn(why) : null);
    awaitStays(former);
  }

  /**
   * Waits until no cutover can happen any more: neither one that was withdrawn, nor one whose fence
   * is in place and that hosts know nothing of.
   */
  private void awaitStays(@Nullable TaskState former) {
    if (former != null
        && former.status() == TaskState.Status.RUNNING
        && gate().phase() != Phase.LEGACY) {
      // Its host may have asked for its right just before, and be about to seal.
      Await.pause(former.lease().toMillis());
    }
    awaitNoFence();
    if (!gate().isLed()) {
      throw new MigrationException.CutoverRefused(
          "collection "
              + plan.collection()
              + " has moved already, so its cutover cannot be taken back: give the command cutover,"
              + " which completes it");
    }
  }

  /** Ends the part that the collection takes in the cutover of a group that was taken back. */
  public void leaveGroup() {
    withdraw(ledger, TaskKind.CUTOVER, "taken back by " + Machine.user());
  }

  /** Returns the former state; null if the change returns null, or there is nothing to change. */
  private @Nullable TaskState replaceCutover(Function<TaskRecord, @Nullable TaskRecord> change) {
    AtomicReference<@Nullable TaskState> former = new AtomicReference<>();
    ledger.updateIfPresent(
        TaskRecord.key(TaskKind.CUTOVER),
        found -> {
          TaskRecord next = change.apply(found);
          former.set(next == null ? null : found.state());
          return next == null ? found : next;
        });
    return former.get();
  }

  private MigrationException.CutoverRefused noCutover(String missing) {
    return new MigrationException.CutoverRefused(
        "no cutover of collection " + plan.collection() + " " + missing);
  }

  /** A host that has fenced the collection before may move it yet; none can that fences it now. */
  private void awaitNoFence() {
    long end = System.nanoTime() + LONGEST_FENCE.toNanos();
    for (int attempt = 0; gate().fence() != null; attempt++) {
      if (System.nanoTime() - end >= 0) {
        throw new KvException.Transient(
            "collection "
                + plan.collection()
                + " is fenced still, so its cutover may yet happen: look at its status, and give"
                + " the command again");
      }
      Await.pause(Await.pauseMillis(attempt));
    }
  }

  /**
   * Asks for a step or a cutover; the last command counts. A run ends first, so that it does not
   * ask again for what is replaced here.
   */
  private void ask(TaskKind kind, Aim aim, String note) {
    String why = kind.word() + " follows";
    withdraw(ledger, TaskKind.RUN, why);
    withdraw(ledger, kind == TaskKind.STEP ? TaskKind.CUTOVER : TaskKind.STEP, why);
    replace(kind, aim, note);
  }

  /** Replaces a task that has another aim. */
  private void replace(TaskKind kind, Aim aim, String note) {
    ledger.update(
        TaskRecord.key(kind),
        found -> {
          if (found == null) {
            return TaskRecord.WANTED.aimed(aim).noted(note);
          }
          return goesOn(found, aim) ? found : found.aimed(aim).noted(note);
        });
  }

  private static boolean goesOn(TaskRecord found, Aim aim) {
    Aim former = found.aim();
    return found.state().isPending() && former != null && former.isAskedAgainBy(aim);
  }

  /** Ends what somebody has asked hosts for, because another command follows. */
  public static void withdrawAll(Ledger ledger, String why) {
    withdraw(ledger, TaskKind.RUN, why);
    withdraw(ledger, TaskKind.STEP, why);
    withdraw(ledger, TaskKind.CUTOVER, why);
  }

  private static void withdraw(Ledger ledger, TaskKind kind, String why) {
    ledger.updateIfPresent(TaskRecord.key(kind), found -> found.withdrawn(why));
  }

  private Gate.State gate() {
    Duration patience = plan.options().patience();
    StoreCollection source =
        Await.patiently(
            patience, () -> plan.source().open(plan.collection(), plan.layout(), Claim.NONE));
    return Await.patiently(patience, () -> source.gate().state());
  }

  private static boolean isOnce(TaskKind kind) {
    return kind == TaskKind.PREPARE || kind == TaskKind.COPY;
  }

  /** Records a command that somebody has given. */
  public void note(String command) {
    ledger.append(Event.command(command));
  }

  /**
   * Sets the rate of scans, within seconds also of those that run; null for the configuration's.
   */
  public void set(@Nullable ScanRate scans) {
    if (scans == null) {
      ledger.remove(Rates.KEY);
    } else {
      ledger.put(Rates.KEY, new Rates(scans));
    }
  }

  /** Keeps hosts off the collection. */
  public void pause() {
    Pause pause = Pause.until(Machine.user(), clock.instant());
    ledger.update(Pause.KEY, found -> found == null || found.isOfWipe() ? pause : found);
  }

  /** Lets hosts work on the collection again. */
  public void resume() {
    ledger.remove(Pause.KEY);
  }

  /** Passes every quarantined key on whose bytes are known. */
  public void quarantined(Consumer<RejectedKey> each) {
    new QuarantinedKeys(ledger)
        .forEach(
            entry -> {
              Bytes key = entry.topicKey();
              if (key != null) {
                each.accept(rejected(entry.name(), key, entry.record()));
              }
            });
  }

  static RejectedKey rejected(String digest, Bytes topicKey, QuarantinedKey record) {
    return new RejectedKey(
        TopicRecord.parseKey(topicKey.toByteArray()), digest, record.version(), record.reason());
  }

  /** Reads the state. */
  public HostStatus.Collection read() {
    List<HostStatus.Task> tasks = new ArrayList<>();
    ledger.forEach(
        TaskRecord.ALL,
        (name, task) ->
            tasks.add(task(name, task.state(), task.done(), task.total(), task.note())));
    CopyTasks parts = CopyTasks.read(ledger);
    for (int part = 0; parts != null && part < parts.parts(); part++) {
      TaskState state = parts.part(part).state();
      if (!parts.part(part).isDone()
          && (state.status() != TaskState.Status.WANTED || state.failures() > 0)) {
        tasks.add(task("copy-" + part, state, parts.part(part).counts().read(), 0, ""));
      }
    }
    return new HostStatus.Collection(
        StatusReader.read(plan, ledger), ledger.get(Pause.KEY) != null, tasks);
  }

  private static HostStatus.Task task(
      String name, TaskState state, long done, long total, String note) {
    return new HostStatus.Task(
        name,
        state.status().word(),
        state.owner(),
        state.attempt(),
        state.failures(),
        state.reason(),
        done,
        total,
        note,
        state.failure());
  }
}
