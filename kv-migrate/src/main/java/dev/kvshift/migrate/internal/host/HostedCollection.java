package dev.kvshift.migrate.internal.host;

import dev.kvshift.api.KvException;
import dev.kvshift.migrate.api.CopyCounts;
import dev.kvshift.migrate.api.CutoverReport;
import dev.kvshift.migrate.api.Failure;
import dev.kvshift.migrate.api.HostPlan;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.migrate.api.Step;
import dev.kvshift.migrate.api.TaskKind;
import dev.kvshift.migrate.api.VerifyReport;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.context.ClockWatch;
import dev.kvshift.migrate.internal.context.ProgressReporter;
import dev.kvshift.migrate.internal.context.StoreClocks;
import dev.kvshift.migrate.internal.copy.Copier;
import dev.kvshift.migrate.internal.copy.CopyTasks;
import dev.kvshift.migrate.internal.copy.PartCopier;
import dev.kvshift.migrate.internal.cutover.Guarded;
import dev.kvshift.migrate.internal.cutover.Mandate;
import dev.kvshift.migrate.internal.cutover.WayBack;
import dev.kvshift.migrate.internal.ledger.Aim;
import dev.kvshift.migrate.internal.ledger.CopyTaskGroup;
import dev.kvshift.migrate.internal.ledger.Event;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.ledger.MigrationConfig;
import dev.kvshift.migrate.internal.ledger.Pause;
import dev.kvshift.migrate.internal.ledger.SharedRecord;
import dev.kvshift.migrate.internal.ledger.TaskRecord;
import dev.kvshift.migrate.internal.ledger.TaskState;
import dev.kvshift.migrate.internal.ledger.VerifyRecord;
import dev.kvshift.migrate.internal.task.HeldTask;
import dev.kvshift.migrate.internal.task.Holder;
import dev.kvshift.migrate.internal.task.TaskGroup;
import dev.kvshift.migrate.internal.task.TaskLost;
import dev.kvshift.migrate.internal.task.TaskWatch;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Gate;
import dev.kvshift.transition.Coordinator;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.IntPredicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One collection in a host: the tasks of it that this process works on. {@link #look} takes what is
 * wanted and this process's share, and is called by one thread; another renews the leases.
 *
 * <p>The leader streams and applies. The copy as a whole, the comparison, steps up and the cutover
 * are tasks of their own, which the leader's process alone takes, because they rely on what is
 * applied; the parts of the copy are anybody's.
 */
final class HostedCollection implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(HostedCollection.class);
  private static final Duration LOOK = Duration.ofMillis(200);
  private static final Duration STABLE = Duration.ofMinutes(1);
  private static final Duration GRACE = Duration.ofSeconds(10);
  private static final String PART = "copy-";

  /** Tasks that a person has to ask for again after a failure, whatever it was. */
  private static final Set<TaskKind> ONCE = EnumSet.of(TaskKind.STEP, TaskKind.CUTOVER);

  /** Tasks that another command replaces or withdraws while they run. */
  private static final Set<TaskKind> REPLACED =
      EnumSet.of(TaskKind.STEP, TaskKind.CUTOVER, TaskKind.RUN);

  /** A later beginning would surprise people: the hour was missed, not chosen. */
  private static final Duration LATEST = Duration.ofHours(1);

  private final HostPlan host;
  private final MigrationPlan plan;
  private final Ledger ledger;
  private final TaskDesk desk;
  private final Holder holder;
  private final IntPredicate isAssigned;
  private final Groups groups;
  private final ProgressListener listener;
  private final Clock clock = Clock.systemUTC();
  private final TaskWatch watch = new TaskWatch();
  private final Map<String, RunningTask<?>> running = new ConcurrentHashMap<>();
  private @Nullable Access access;
  private volatile @Nullable MigrationTasks leading;

  /** Whether this process has taken the lead from itself, to lead the whole group at once. */
  private volatile boolean isLeadingGroup;

  /**
   * Creates a collection that this process does not work on yet.
   *
   * @param isAssigned whether this process may take the tasks of a partition of the task topic
   */
  HostedCollection(
      HostPlan host,
      String name,
      Holder holder,
      IntPredicate isAssigned,
      Groups groups,
      ProgressListener listener) {
    this.host = host;
    this.plan = host.collection(name);
    this.holder = holder;
    this.isAssigned = isAssigned;
    this.groups = groups;
    this.listener = listener;
    this.ledger = Ledger.of(plan, clock);
    this.desk = new TaskDesk(plan, clock);
  }

  /** The collection, open as it was prepared, with clocks that are watched. */
  private record Access(OpenCollection collection, ClockWatch clocks, PartCopier copier)
      implements AutoCloseable {
    /** Returns whether the migration is still the one that is open, and its clocks are right. */
    boolean isUsable(Ledger ledger) {
      MigrationConfig now = ledger.get(MigrationConfig.KEY);
      return !clocks.hasFailed()
          && now != null
          && collection.setup().activation().copy().equals(now.copy());
    }

    @Override
    public void close() {
      clocks.close();
      collection.close();
    }
  }

  /** Takes the wanted tasks that are this process's share, and leaves those that are no longer. */
  void look() {
    running.values().removeIf(RunningTask::hasEnded);
    Map<TaskKind, TaskRecord> tasks = tasks();
    boolean isPaused = ledger.get(Pause.KEY) != null;
    running.forEach(
        (name, task) -> {
          if (isPaused || !isAssigned.test(partition(name))) {
            task.handOver();
          }
        });
    leaveReplaced(tasks);
    if (isPaused) {
      return;
    }
    applyRates();
    consider(tasks, TaskKind.PREPARE, this::prepare);
    if (!isPending(tasks.get(TaskKind.PREPARE))) {
      consider(tasks, TaskKind.LEAD, this::lead);
    }
    if (leading != null) {
      consider(tasks, TaskKind.COPY, this::copyAll);
      if (!isPending(tasks.get(TaskKind.COPY)) && !isRunning(TaskKind.STEP, TaskKind.CUTOVER)) {
        consider(tasks, TaskKind.VERIFY, this::verify);
      }
    }
    considerSteps(tasks);
    consider(tasks, TaskKind.RUN, this::run);
    if (isPending(tasks.get(TaskKind.COPY))) {
      takeParts();
    }
  }

  private Map<TaskKind, TaskRecord> tasks() {
    Map<TaskKind, TaskRecord> tasks = new EnumMap<>(TaskKind.class);
    ledger.forEach(
        TaskRecord.ALL,
        (name, record) -> TaskKind.of(name).ifPresent(kind -> tasks.put(kind, record)));
    return tasks;
  }

  /** Interrupts a step, a cutover or a run that another command has replaced or withdrawn. */
  private void leaveReplaced(Map<TaskKind, TaskRecord> tasks) {
    for (TaskKind kind : REPLACED) {
      RunningTask<?> mine = running.get(kind.word());
      TaskRecord now = tasks.get(kind);
      if (mine != null) {
        mine.endUnlessHeld(now == null ? null : now.state());
      }
    }
  }

  /**
   * A step back needs nothing but the source. All others rely on what the leader streams and
   * checks, so that they wait for it, and for a comparison, which restarts the check of the tail.
   * Once the collection has moved there is no leader, and a cutover only activates the target.
   */
  private void considerSteps(Map<TaskKind, TaskRecord> tasks) {
    boolean isReady = leading != null && !isPending(tasks.get(TaskKind.VERIFY));
    TaskRecord step = tasks.get(TaskKind.STEP);
    if (isReady || (step != null && step.aim() != null && step.aim().isBack())) {
      consider(tasks, TaskKind.STEP, this::step);
    }
    TaskRecord lead = tasks.get(TaskKind.LEAD);
    boolean isMoved = lead != null && lead.state().status() == TaskState.Status.DONE;
    TaskRecord cutover = tasks.get(TaskKind.CUTOVER);
    if ((isMoved || (isReady && !isRunning(TaskKind.STEP))) && isDue(cutover, lead)) {
      consider(tasks, TaskKind.CUTOVER, this::cutOver);
    }
  }

  /**
   * Returns whether there is something to do for a cutover. One that waits is made ready, again
   * under each leader, which has to follow the changes first, and is nobody's until its hour. The
   * record of a group's first collection is the cutover of all.
   */
  private boolean isDue(@Nullable TaskRecord cutover, @Nullable TaskRecord lead) {
    Aim aim = cutover == null ? null : cutover.aim();
    if (aim == null) {
      return false;
    }
    boolean isAlone = aim.group().isEmpty();
    Aim.Hold hold = aim.hold();
    if (!isAlone && !aim.group().get(0).equals(plan.collection())) {
      return false;
    }
    return hold == null
        || hold.isOver(clock.instant())
        || hold.readyUnder() == 0
        || (isAlone && lead != null && hold.readyUnder() != lead.state().attempt());
  }

  private boolean isRunning(TaskKind... kinds) {
    return !runningOf(kinds).isEmpty();
  }

  private static boolean isPending(@Nullable TaskRecord task) {
    return task != null && task.state().isPending();
  }

  private void consider(
      Map<TaskKind, TaskRecord> tasks, TaskKind kind, Consumer<RunningTask<TaskRecord>> work) {
    TaskRecord found = tasks.get(kind);
    if (found != null) {
      String description = kind.word() + " of collection " + plan.collection();
      Aim.Hold hold = found.aim() == null ? null : found.aim().hold();
      boolean isRetried = !ONCE.contains(kind) || (hold != null && !hold.isOver(clock.instant()));
      take(
          kind.word(),
          new HeldTask.Task<>(TaskRecord.key(kind), description),
          found,
          task -> RunningTask.start(plan.collection() + "-" + kind.word(), task, isRetried, work));
    }
  }

  private void takeParts() {
    long free = plan.options().copyWorkers() - parts();
    CopyTasks parts = free > 0 ? CopyTasks.read(ledger) : null;
    for (int part = 0; parts != null && part < parts.parts() && free > 0; part++) {
      CopyTaskGroup found = parts.part(part);
      String name = plan.collection() + "-" + PART + part;
      if (!found.isDone()
          && take(
              PART + part,
              parts.task(plan.collection(), part),
              found,
              task -> RunningTask.start(name, task, true, this::copyPart))) {
        free--;
      }
    }
  }

  private long parts() {
    return running.keySet().stream().filter(name -> name.startsWith(PART)).count();
  }

  private <T extends SharedRecord<T>> boolean take(
      String name, HeldTask.Task<T> task, T found, Function<HeldTask<T>, RunningTask<T>> start) {
    long nowNanos = holder.nanoTime().getAsLong();
    if (running.containsKey(name)
        || !watch.mayTake(name, found.state(), nowNanos)
        || !isAssigned.test(partition(name))) {
      return false;
    }
    HeldTask<T> held = HeldTask.take(ledger, task, found, holder);
    if (held != null) {
      LOG.info("takes {}, attempt {}", task.description(), held.record().state().attempt());
      running.put(name, start.apply(held));
    }
    return held != null;
  }

  /** Returns the partition of a task: that of the leader, or one of the next for parts. */
  private int partition(String name) {
    int offset = name.startsWith(PART) ? 1 + Integer.parseInt(name.substring(PART.length())) : 0;
    return Math.floorMod(plan.collection().hashCode() + offset, TaskGroup.PARTITIONS);
  }

  /** Renews the leases of the running tasks. */
  void renew() {
    for (RunningTask<?> task : running.values()) {
      try {
        if (!task.hasEnded()) {
          task.held().renew();
        }
      } catch (TaskLost e) {
        LOG.debug("lost", e);
      }
    }
  }

  private void prepare(RunningTask<TaskRecord> task) {
    MigrationSetup.prepare(plan, ledger, clock);
    ledger.append(Event.stepEnded(Step.PREPARE, 1));
  }

  private void lead(RunningTask<TaskRecord> task) {
    if (MigrationSetup.prepare(plan, ledger, clock).isMoved()) {
      return;
    }
    try (MigrationTasks tasks = new MigrationTasks(access().collection())) {
      tasks.start();
      leading = tasks;
      try {
        follow(task, tasks);
      } finally {
        leading = null;
        List<RunningTask<?>> dependent =
            isLeadingGroup
                ? runningOf(TaskKind.COPY, TaskKind.VERIFY, TaskKind.STEP)
                : runningOf(TaskKind.COPY, TaskKind.VERIFY, TaskKind.STEP, TaskKind.CUTOVER);
        dependent.forEach(RunningTask::handOver);
        dependent.forEach(each -> each.awaitEnd(GRACE));
      }
    }
  }

  /** Returns only by an exception: the leader streams until it hands over or fails. */
  private static void follow(RunningTask<TaskRecord> task, MigrationTasks tasks) {
    long startNanos = System.nanoTime();
    boolean isStable = false;
    while (true) {
      task.pause(LOOK);
      tasks.check();
      if (!isStable && System.nanoTime() - startNanos >= STABLE.toNanos()) {
        isStable = true;
        task.held().save(task.held().record());
      }
    }
  }

  private List<RunningTask<?>> runningOf(TaskKind... kinds) {
    return List.of(kinds).stream()
        .map(kind -> running.get(kind.word()))
        .filter(Objects::nonNull)
        .<RunningTask<?>>map(task -> task)
        .toList();
  }

  private MigrationTasks leading() {
    MigrationTasks tasks = leading;
    if (tasks == null) {
      throw new HandedOver();
    }
    return tasks;
  }

  private void copyAll(RunningTask<TaskRecord> task) {
    MigrationTasks tasks = leading();
    ProgressReporter progress = begin(task, Step.COPY, "rows");
    CopyTasks parts = Copier.plan(access().collection().context(), ledger);
    askAgain(parts);
    CopyCounts counts = parts.counts();
    while (parts.done() < parts.size()) {
      task.pause(LOOK.multipliedBy(5));
      parts = Objects.requireNonNull(CopyTasks.read(ledger));
      requireNoneFailed(parts);
      counts = parts.counts();
      progress.report(counts.read(), parts.expectedRows());
    }
    Copier.balanced(counts);
    progress.end(counts.read());
    ledger.append(Event.stepEnded(Step.COPY, counts.read()));
    catchUp(task, tasks);
  }

  /** Asks again for parts that have failed: the copy as a whole was asked for since. */
  private void askAgain(CopyTasks parts) {
    for (int part = 0; part < parts.parts(); part++) {
      if (parts.part(part).state().status() == TaskState.Status.FAILED) {
        ledger.updatePresent(
            parts.task(plan.collection(), part).key(),
            found -> found.with(found.state().askedAgain()));
      }
    }
  }

  private void requireNoneFailed(CopyTasks parts) {
    for (int part = 0; part < parts.parts(); part++) {
      TaskState state = parts.part(part).state();
      if (state.status() == TaskState.Status.FAILED) {
        String what = parts.task(plan.collection(), part).description();
        String message = what + " has failed: " + state.reason();
        throw state.failure() == Failure.TOO_MANY_ERRORS
            ? new MigrationException.TooManyErrors(message)
            : new KvException.Permanent(message);
      }
    }
  }

  private void catchUp(RunningTask<TaskRecord> task, MigrationTasks tasks) {
    ProgressReporter progress = begin(task, Step.APPLY, "changes");
    long behind = tasks.catchUp(progress);
    progress.end(behind);
    ledger.append(Event.stepEnded(Step.APPLY, behind));
  }

  private void verify(RunningTask<TaskRecord> task) {
    MigrationTasks tasks = leading();
    catchUp(task, tasks);
    ProgressReporter progress = begin(task, Step.VERIFY, "rows");
    VerifyReport report = tasks.verify(progress, task::check);
    long rows = report.sourceRows() + report.targetRows();
    progress.end(rows);
    ledger.append(Event.stepEnded(Step.VERIFY, rows));
  }

  /** Asks for one stage of a run after the other, and waits for each: {@link Chain}. */
  private void run(RunningTask<TaskRecord> task) {
    Gate gate = openGate();
    while (true) {
      Gate.State now = state(gate);
      Chain.Seen seen = seen(now);
      Aim aim = aim(task);
      Aim.Run run = Objects.requireNonNull(aim.run());
      Chain.Next next = Chain.next(aim, seen);
      if (next instanceof Chain.Done) {
        return;
      } else if (next instanceof Chain.Failed failed) {
        throw new RunningTask.Failed(failed.kind(), failed.why());
      } else if (next instanceof Chain.Ended ended) {
        task.held().save(task.held().record().noted(TaskRecord.WITHDRAWN + ended.why()));
        return;
      } else if (next instanceof Chain.Ask ask) {
        task.held().requireInLedger();
        desk.askForRun(aim, ask.stage(), now);
        String note =
            String.format(
                Locale.ROOT,
                "stage %d of %d, %s; %s",
                ask.number(),
                Chain.stages(run).size(),
                ask.stage(),
                run.end().text());
        task.held()
            .save(task.held().record().noted(note).with(aim.progressed(ask.number(), seen.copy())));
      } else if (run.copy() == null && seen.copy() != null) {
        task.held().save(task.held().record().with(aim.progressed(run.asked(), seen.copy())));
      }
      task.pause(LOOK.multipliedBy(5));
    }
  }

  private Chain.Seen seen(Gate.State now) {
    MigrationConfig config = ledger.get(MigrationConfig.KEY);
    VerifyRecord verified = ledger.get(VerifyRecord.KEY);
    return new Chain.Seen(
        now,
        config == null ? null : config.copy(),
        tasks(),
        verified == null ? 0 : verified.report().differences());
  }

  private void step(RunningTask<TaskRecord> task) {
    Aim aim = aim(task);
    Gate gate = openGate();
    Gate.State reached;
    if (aim.isBack()) {
      // Its progress is not saved: it must not wait for the target.
      ProgressReporter progress =
          ProgressReporter.begin(listener, plan.collection(), Step.PHASE, "steps");
      Coordinator back = MigrationTasks.coordinator(plan, gate, progress::say);
      reached = WayBack.to(aim.target(), back, plan.options().patience());
    } else {
      task.check();
      requireWanted(aim, state(gate));
      MigrationTasks tasks = leading();
      ProgressReporter progress = begin(task, Step.PHASE, "steps");
      reached =
          tasks.step(
              MigrationTasks.coordinator(plan, gate, progress::say)
                  .withHook(guarded(task, aim, gate)),
              aim.target());
      progress.end(aim.target().compareTo(aim.from()));
    }
    ledger.append(Event.stepped(aim.from(), aim.target(), reached.epoch()));
  }

  /** Hands the collection over, or activates the target of one that was handed over. */
  private void cutOver(RunningTask<TaskRecord> task) {
    Aim aim = aim(task);
    MigrationSetup setup = MigrationSetup.prepare(plan, ledger, clock);
    if (aim.hold() != null && setup.gate().isLed()) {
      holdBack(task, aim, aim.hold());
    }
    if (aim.group().isEmpty()) {
      cutOverAlone(task, aim, setup);
    } else {
      cutOverGroup(task, aim, setup);
    }
    runningOf(TaskKind.LEAD).forEach(RunningTask::handOver);
  }

  /** Makes a cutover ready whose hour has not come, and leaves it until then. */
  private void holdBack(RunningTask<TaskRecord> task, Aim aim, Aim.Hold hold) {
    Instant now = clock.instant();
    Instant until = hold.until();
    if (!hold.isOver(now)) {
      long lead = ledger.require(TaskRecord.key(TaskKind.LEAD)).state().attempt();
      if (aim.group().isEmpty()) {
        leading().certify(until);
      } else {
        leadGroup(
            () -> {
              groups.certify(plans(aim), until, listener(task));
              return lead;
            });
      }
      task.held().save(task.held().record().ready(hold, lead));
      throw new HandedOver();
    }
    if (until != null && now.isAfter(until.plus(LATEST))) {
      throw new MigrationException.CutoverRefused(
          "collection "
              + plan.collection()
              + " was not moved: no host worked on it at its hour, "
              + until
              + ", nor in the hour after: give the command again");
    }
  }

  private void cutOverGroup(RunningTask<TaskRecord> task, Aim aim, MigrationSetup setup) {
    if (!setup.isMoved()) {
      aim.requireOnItsWay(plan.collection(), state(openGate()));
      for (String name : others(aim)) {
        requireTakesPart(name, aim).requireOnItsWay(name, state(openGate(host.collection(name))));
      }
    }
    List<CutoverReport> reports =
        leadGroup(() -> groups.cutOver(plans(aim), mandate(task, aim), listener(task)));
    for (String name : others(aim)) {
      String summary = reports.get(aim.group().indexOf(name)).summary();
      ledger(name)
          .updateIfPresent(
              TaskRecord.key(TaskKind.CUTOVER),
              found -> found.with(found.state().done()).noted(summary));
    }
    task.held().save(task.held().record().noted(reports.get(0).summary()));
  }

  private <T> T leadGroup(Supplier<T> work) {
    isLeadingGroup = true;
    try {
      return work.get();
    } finally {
      isLeadingGroup = false;
    }
  }

  private List<MigrationPlan> plans(Aim aim) {
    return aim.group().stream().map(name -> givingUp(host.collection(name), aim)).toList();
  }

  private static MigrationPlan givingUp(MigrationPlan of, Aim aim) {
    Set<String> all = new HashSet<>(of.options().givenUp());
    all.addAll(aim.givenUp());
    return of.toBuilder().options(of.options().toBuilder().givingUp(all).build()).build();
  }

  private Ledger ledger(String name) {
    return Ledger.of(host.collection(name), clock);
  }

  /** Returns the collections of a group but for the first, whose record is the cutover of all. */
  private static List<String> others(Aim aim) {
    return aim.group().isEmpty() ? List.of() : aim.group().subList(1, aim.group().size());
  }

  /** Returns the aim of a collection that still takes part in the cutover of its group. */
  private Aim requireTakesPart(String name, Aim aim) {
    TaskRecord found = ledger(name).get(TaskRecord.key(TaskKind.CUTOVER));
    Aim its = found == null || !found.state().isPending() ? null : found.aim();
    if (its == null || !its.group().equals(aim.group())) {
      throw new MigrationException.CutoverRefused(
          "collection "
              + name
              + " takes part in the cutover of its group no more, since another command was given"
              + " for it: nothing was moved; give the command cutover again");
    }
    return its;
  }

  /** Returns the right to move, which is asked for inside the fence. */
  private Mandate mandate(RunningTask<TaskRecord> task, Aim aim) {
    return new Mandate(
        task.held().record().state().attempt(),
        () -> {
          task.held().requireInLedger();
          others(aim).forEach(name -> requireTakesPart(name, aim));
        });
  }

  private void cutOverAlone(RunningTask<TaskRecord> task, Aim aim, MigrationSetup setup) {
    ProgressReporter progress = begin(task, Step.CUTOVER, "attempts");
    CutoverReport report;
    if (setup.isMoved()) {
      report = setup.activateMoved(ledger);
    } else {
      MigrationTasks tasks = leading();
      report =
          tasks.handOver(
              MigrationTasks.coordinator(plan, openGate(), progress::say),
              aim.givenUp(),
              state -> requireWanted(aim, state),
              mandate(task, aim));
    }
    setup.unregisterConsumer();
    progress.end(report.attempts());
    progress.say(report.summary());
    ledger.append(Event.stepEnded(Step.CUTOVER, report.attempts()));
  }

  private static Aim aim(RunningTask<TaskRecord> task) {
    return Objects.requireNonNull(task.held().record().aim(), "asked for by a desk");
  }

  private Gate openGate() {
    return openGate(plan);
  }

  private static Gate openGate(MigrationPlan of) {
    return Await.patiently(
            of.options().patience(),
            () -> of.source().open(of.collection(), of.layout(), Claim.NONE))
        .gate();
  }

  private Gate.State state(Gate gate) {
    return Await.patiently(plan.options().patience(), gate::state);
  }

  /**
   * Keeps a step up from being taken once this process has lost the task, or somebody has taken the
   * collection the other way since it was asked for.
   */
  private Coordinator.Hook guarded(RunningTask<TaskRecord> task, Aim aim, Gate gate) {
    return new Guarded(
        () -> {
          task.check();
          requireWanted(aim, state(gate));
        },
        plan.options().hook());
  }

  private void requireWanted(Aim aim, Gate.State now) {
    aim.requireOnItsWay(plan.collection(), now);
    TaskRecord run = aim.run() == null ? null : ledger.get(TaskRecord.key(TaskKind.RUN));
    String obstacle = Chain.obstacle(aim, run, now);
    if (obstacle != null) {
      throw new MigrationException.CutoverRefused(
          "collection " + plan.collection() + " stays: " + obstacle);
    }
  }

  private void copyPart(RunningTask<CopyTaskGroup> task) {
    Access open = access();
    open.copier.copy(
        task.held(),
        () -> {
          open.clocks.check();
          task.check();
        },
        rows -> {});
  }

  /** Returns a reporter whose reports are also kept in the task's record, for other processes. */
  private ProgressReporter begin(RunningTask<TaskRecord> task, Step step, String unit) {
    return ProgressReporter.begin(listener(task), plan.collection(), step, unit);
  }

  private ProgressListener listener(RunningTask<TaskRecord> task) {
    return event -> {
      listener.report(event);
      if (event.collection().equals(plan.collection())) {
        note(task, event);
      }
    };
  }

  private static void note(RunningTask<TaskRecord> task, ProgressListener.Event event) {
    TaskRecord now = task.held().record();
    String said = event.note();
    task.held()
        .save(
            said == null ? now.progressed(event.done(), event.total().orElse(0)) : now.noted(said));
  }

  /**
   * Opens the collection, once for all tasks. Opens it again after its clocks were off, and after
   * it was prepared anew: the former opening reads and fills another copy.
   */
  private synchronized Access access() {
    if (access != null && !access.isUsable(ledger)) {
      closeAccess();
    }
    if (access == null) {
      MigrationSetup setup = MigrationSetup.prepare(plan, ledger, clock);
      OpenCollection collection = OpenCollection.of(plan, setup, ledger, clock);
      try {
        StoreClocks.measure(collection.context()).requireWithinLimit();
      } catch (RuntimeException e) {
        collection.close();
        throw e;
      }
      ClockWatch clocks = new ClockWatch(collection.context(), ClockWatch.INTERVAL);
      clocks.start();
      access =
          new Access(
              collection,
              clocks,
              new PartCopier(collection.context(), ledger, collection.writer()));
    }
    return access;
  }

  private synchronized void applyRates() {
    if (access != null) {
      access.collection.applyRates();
    }
  }

  /** Asks the running tasks to end; other hosts take them. */
  void handOver() {
    running.values().forEach(RunningTask::handOver);
  }

  @Override
  public void close() {
    handOver();
    running.values().forEach(task -> task.awaitEnd(GRACE));
    closeAccess();
  }

  private synchronized void closeAccess() {
    if (access != null) {
      access.close();
      access = null;
    }
  }
}
