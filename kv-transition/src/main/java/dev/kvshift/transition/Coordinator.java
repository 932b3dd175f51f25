package dev.kvshift.transition;

import dev.kvshift.api.KvException;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Gate.State;
import dev.kvshift.spi.InstancesNotReady;
import dev.kvshift.spi.Phase;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Takes one collection from phase to phase, forward and back, while services run: protocol, 4.
 *
 * <p>A step raises the epoch, waits until every live instance has acknowledged it or its lease is
 * over, and then lets the leader refuse older epochs. A coordinator that dies in between leaves a
 * step that any other completes: call {@link #moveTo} again. Two coordinators do not disturb each
 * other, since every change is a compare-and-set of the leader's record.
 *
 * <p>Immutable, blocking, and safe for use by many threads.
 */
public final class Coordinator {
  private static final Duration REQUEST = Duration.ofSeconds(10);
  private static final long POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
  private static final int NAMED = 5;

  private final String collection;
  private final Gate gate;
  private final Map<Phase, Condition> conditions;
  private final Duration dwell;
  private final Hook hook;
  private final Consumer<String> progress;
  private final @Nullable Pass pass;

  /** Makes both sides the same, before clock-ordered phases leave the merge of both. */
  @FunctionalInterface
  public interface Pass {
    /**
     * Merges both sides, as {@link MergePass} does. A failure ends the move.
     *
     * @param merged the gate's record when the pass begins, in shadow-read or new-read, which every
     *     instance has entered; the step that follows leaves this record, or is not taken
     */
    void run(State merged);
  }

  /**
   * Calls somebody before and after each step, such as a message to the people on duty, or a test
   * of the services. A failure before a step up prevents it; any other is only reported as
   * progress.
   */
  public interface Hook {
    /** Does nothing. */
    Hook NONE =
        new Hook() {
          @Override
          public void before(Phase from, Phase to) {}

          @Override
          public void after(Phase from, Phase to) {}
        };

    /** Called before a step is begun. */
    void before(Phase from, Phase to);

    /** Called once every live instance has entered the phase. */
    void after(Phase from, Phase to);
  }

  /** A condition that must be true before a step up is taken. */
  @FunctionalInterface
  public interface Condition {
    /**
     * Returns the unmet condition, as one line for people; null once the step may be taken.
     *
     * @param state the leader's record, in the phase that the step leaves
     */
    @Nullable String missing(State state);
  }

  private Coordinator(
      String collection,
      Gate gate,
      Map<Phase, Condition> conditions,
      Duration dwell,
      Hook hook,
      Consumer<String> progress,
      @Nullable Pass pass) {
    this.collection = collection;
    this.gate = gate;
    this.conditions = conditions;
    this.dwell = dwell;
    this.hook = hook;
    this.progress = progress;
    this.pass = pass;
  }

  /**
   * Returns a coordinator without conditions, which does not dwell in any phase.
   *
   * @param gate the old store's gate of the collection
   * @throws KvException.Permanent if it is a {@link MetadataGate}, which needs a pass
   */
  public static Coordinator of(String collection, Gate gate) {
    if (gate instanceof MetadataGate) {
      throw new KvException.Permanent(
          "collection " + collection + " moves in clock order: give the coordinator a pass");
    }
    return coordinator(collection, gate, null);
  }

  /**
   * Returns a coordinator of clock-ordered phases.
   *
   * @param pass run each time before shadow-read and new-read, in which reads merge both sides, are
   *     left for dual-write or new-primary: every instance is in one of them then, or its lease is
   *     over
   */
  public static Coordinator inClockOrder(String collection, MetadataGate gate, Pass pass) {
    return coordinator(collection, gate, Objects.requireNonNull(pass));
  }

  private static Coordinator coordinator(String collection, Gate gate, @Nullable Pass pass) {
    return new Coordinator(
        Objects.requireNonNull(collection),
        Objects.requireNonNull(gate),
        Map.of(),
        Duration.ZERO,
        Hook.NONE,
        line -> {},
        pass);
  }

  /** Returns the same coordinator with a condition for the step up into a phase. */
  public Coordinator withCondition(Phase into, Condition condition) {
    Map<Phase, Condition> all = new EnumMap<>(Phase.class);
    all.putAll(conditions);
    all.put(into, Objects.requireNonNull(condition));
    return new Coordinator(collection, gate, all, dwell, hook, progress, pass);
  }

  /**
   * Returns the same coordinator, which stays in each phase above legacy for at least that time on
   * its way up, and longer while instances count trouble with the new side: in the last such time,
   * no entry of the old side was missed on the new one, no compared answer differed, and at most
   * one in a thousand requests has failed.
   */
  public Coordinator withDwell(Duration newDwell) {
    return new Coordinator(collection, gate, conditions, newDwell, hook, progress, pass);
  }

  /** Returns the same coordinator, which reports what and whom it waits for, a line each time. */
  public Coordinator withProgress(Consumer<String> newProgress) {
    return new Coordinator(
        collection, gate, conditions, dwell, hook, Objects.requireNonNull(newProgress), pass);
  }

  /** Returns the same coordinator with a hook. */
  public Coordinator withHook(Hook newHook) {
    return new Coordinator(
        collection, gate, conditions, dwell, Objects.requireNonNull(newHook), progress, pass);
  }

  /**
   * Takes the collection to a phase, one step at a time, up or down. Completes first a step that
   * another coordinator has begun. Does nothing in that phase.
   *
   * @param patience how long each step may wait; a step that has begun by then remains, and can be
   *     completed or taken back by another call
   * @return the leader's record after the last step
   * @throws KvException.Transient if the patience is over, naming what or whom the step waits for,
   *     a silent leader too
   * @throws KvException.Permanent if the phase is new-only, which {@link Gate#seal} enters
   * @throws InstancesNotReady if a live instance cannot follow a step up, and the patience is over
   */
  public State moveTo(Phase target, Duration patience) {
    if (target == Phase.NEW_ONLY) {
      throw new KvException.Permanent(
          "collection " + collection + " enters new-only by a seal: there is no way back from it");
    }
    State state = settled(patience);
    while (state.phase() != target) {
      Phase from = state.phase();
      Phase next = from.towards(target);
      if (target.compareTo(from) > 0) {
        soak(state, next, patience);
        awaitCondition(next, patience);
        hook.before(from, next);
      } else {
        tell(() -> hook.before(from, next));
      }
      if (pass != null && leavesMerge(from, next)) {
        pass.run(state);
      }
      step(state, next, patience);
      state = settled(patience);
      if (state.phase() == next) {
        tell(() -> hook.after(from, next));
      }
    }
    return state;
  }

  private static boolean leavesMerge(Phase from, Phase next) {
    return (from == Phase.SHADOW_READ && next == Phase.DUAL_WRITE)
        || (from == Phase.NEW_READ && next == Phase.NEW_PRIMARY);
  }

  /** Calls the hook where its failure must not prevent anything. */
  private void tell(Runnable call) {
    try {
      call.run();
    } catch (KvException e) {
      progress.accept("collection " + collection + ": " + e.getMessage());
    }
  }

  /**
   * Sets the percentage of the main keys to which the present phase applies.
   *
   * @param percent 0 to 100
   * @return the leader's record afterwards
   */
  public State ramp(int percent) {
    long end = end(REQUEST);
    while (true) {
      State state = state(end);
      if (state.ramp() == percent || change(state, state.withRamp(percent))) {
        return state(end);
      }
    }
  }

  /**
   * Begins a step, as soon as every live instance can follow it up. If another coordinator was
   * faster, the next read of the record shows it.
   */
  private void step(State from, Phase to, Duration patience) {
    long end = end(patience);
    String told = "";
    while (true) {
      try {
        begin(from, to);
        return;
      } catch (InstancesNotReady e) {
        if (System.nanoTime() - end >= 0) {
          throw e;
        }
        told = waitFor("the step into " + to + " waits for " + named(e), told, end);
      } catch (KvException.Transient e) {
        told = waitFor("the step into " + to + " waits: " + e.getMessage(), told, end);
      }
    }
  }

  private static String named(InstancesNotReady refusal) {
    return named(
        refusal.obstacles().size(),
        refusal.obstacles().stream().map(InstancesNotReady.Obstacle::toString));
  }

  private static String named(int count, Stream<String> all) {
    return count
        + " instance(s): "
        + all.limit(NAMED).collect(Collectors.joining(", "))
        + (count > NAMED ? ", …" : "");
  }

  private void begin(State from, Phase to) {
    State next =
        from.withEpoch(from.epoch() + 1)
            .withPhase(to)
            .withAcceptMin(from.epoch())
            .withRamp(State.ALL);
    if (change(from, next)) {
      progress.accept(
          "collection " + collection + " enters phase " + to + ", epoch " + next.epoch());
    }
  }

  /** Completes the step that was begun last, if it is not complete, and returns the record. */
  private State settled(Duration patience) {
    long end = end(patience);
    String told = "";
    while (true) {
      State state = state(end);
      if (state.acceptMin() == state.epoch()) {
        return state;
      }
      String behind = behind(state.epoch(), end);
      if (behind != null) {
        told = waitFor("epoch " + state.epoch() + " waits for " + behind, told, end);
        continue;
      }
      try {
        change(state, state.withAcceptMin(state.epoch()));
      } catch (KvException.Transient e) {
        told = waitFor("epoch " + state.epoch() + " waits: " + e.getMessage(), told, end);
      }
    }
  }

  /** Returns the instances that may still act in an epoch before the given one; null for none. */
  private @Nullable String behind(long epoch, long end) {
    List<Gate.Instance> behind =
        instances(end).stream().filter(one -> one.use().acknowledged() < epoch).toList();
    return behind.isEmpty()
        ? null
        : named(
            behind.size(), behind.stream().map(one -> one.report().service() + " " + one.name()));
  }

  /**
   * Stays in a phase as long as it must last before a step up.
   *
   * @param state the leader's record in that phase
   * @param patience how much longer than the dwell to wait until the new side works well
   * @throws KvException.Transient if the patience is over, naming what went wrong
   */
  public void soak(State state, Phase into, Duration patience) {
    if (dwell.isZero() || state.phase() == Phase.LEGACY) {
      return;
    }
    long end = end(dwell.plus(patience));
    Soak soak = new Soak(dwell, System.nanoTime(), instances(end));
    String told = "";
    while (!soak.isOver(System.nanoTime()) || !soak.endsWell(System.nanoTime(), instances(end))) {
      told = waitFor("the step into " + into + " waits: " + soak.waiting(), told, end);
    }
  }

  private void awaitCondition(Phase into, Duration patience) {
    Condition condition = conditions.get(into);
    if (condition == null) {
      return;
    }
    long end = end(patience);
    String told = "";
    while (true) {
      String missing = condition.missing(state(end));
      if (missing == null) {
        return;
      }
      told = waitFor("the step into " + into + " waits: " + missing, told, end);
    }
  }

  /** Reports what the step waits for, unless it was reported last, and waits a moment. */
  private String waitFor(String what, String told, long end) {
    String line = "collection " + collection + ": " + what;
    if (System.nanoTime() - end >= 0) {
      throw new KvException.Transient(line + ": wait for it, or take the step back");
    }
    if (!line.equals(told)) {
      progress.accept(line);
    }
    LockSupport.parkNanos(POLL_NANOS);
    if (Thread.currentThread().isInterrupted()) {
      throw new KvException.Transient(line + ", and was interrupted: call again");
    }
    return line;
  }

  private State state(long end) {
    return ask(gate::state, end);
  }

  private List<Gate.Instance> instances(long end) {
    return ask(gate::instances, end);
  }

  /** Asks the leader, as often as needed while the patience lasts: for reads alone. */
  private <T> T ask(Supplier<CompletionStage<T>> read, long end) {
    String told = "";
    while (true) {
      try {
        return await(read, KvException.Transient::new);
      } catch (KvException.Transient e) {
        told = waitFor("the leader does not answer: " + e.getMessage(), told, end);
      }
    }
  }

  /**
   * Changes the leader's record. If the outcome is unknown, the next read of the record shows it.
   */
  private boolean change(State from, State to) {
    try {
      return await(() -> gate.compareAndSet(from, to), KvException.UnknownOutcome::new);
    } catch (KvException.UnknownOutcome e) {
      progress.accept("collection " + collection + ": " + e.getMessage());
      return false;
    }
  }

  private static long end(Duration patience) {
    return System.nanoTime() + patience.toNanos();
  }

  static <T> T await(
      Supplier<CompletionStage<T>> request, BiFunction<String, Throwable, KvException> silent) {
    return await(request, "a request to the old side's leader", REQUEST, silent);
  }

  /**
   * Waits for an answer.
   *
   * @param what what waits, for errors
   * @param limit when a store that does not keep its deadlines is given up
   * @param silent creates the error of a request that had no answer, or was interrupted
   */
  static <T extends @Nullable Object> T await(
      Supplier<CompletionStage<T>> request,
      String what,
      Duration limit,
      BiFunction<String, Throwable, KvException> silent) {
    try {
      return Futures.start(request)
          .toCompletableFuture()
          .get(limit.toNanos(), TimeUnit.NANOSECONDS);
    } catch (ExecutionException e) {
      throw Futures.readFailure(e);
    } catch (TimeoutException e) {
      throw silent.apply(what + " had no answer in " + limit.toSeconds() + " s: call again", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw silent.apply(what + " was interrupted: call again", e);
    }
  }
}
