package dev.kvshift.transition;

import dev.kvshift.api.KvException;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.FenceOptions;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.GateRecord;
import dev.kvshift.spi.InstancesNotReady;
import dev.kvshift.spi.LockSpaceRecord;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.StalePhase;
import dev.kvshift.spi.Store;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Moves a lock space from the old store's leader to the new store, after the rows that it guards:
 * protocol, 8.
 *
 * <p>Five steps, each durable and safe to repeat, so that a move that has died at any of them is
 * continued by another call:
 *
 * <ol>
 *   <li>The new store's record announces the move. From then on the new store grants no lock of the
 *       space, unless the leader has sent the client.
 *   <li>The leader's gate names the same move. Every live instance reports whether it sees it.
 *   <li>The leader raises the fence: it grants no lock, and the held ones are released or end.
 *   <li>The leader moves the space once no lock is held by its clock. It refuses every request from
 *       then on, and the refusal sends instances of {@code transition://} to the new store.
 *   <li>The new store's record becomes active, for services on the new store alone.
 * </ol>
 *
 * <p>Requests for new locks wait from step 3 to step 4, at most for the patience. If a lock is held
 * for longer, the fence is lifted, and nothing has changed. The time does not depend on how many
 * locks were ever granted. Immutable, blocking, and safe for use by many threads and processes.
 */
public final class LockMove {
  /** The longest patience: 50 s. */
  public static final Duration MAX_PATIENCE = Duration.ofSeconds(50);

  /** How much longer than the patience a fence stands if the mover dies. */
  private static final Duration FENCE_MARGIN = Duration.ofSeconds(5);

  private static final Duration DEFAULT_PATIENCE = Duration.ofSeconds(10);
  private static final long POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

  private final String space;
  private final Store from;
  private final Store to;
  private final List<String> guarded;
  private final Duration patience;
  private final Set<String> givenUp;
  private final Consumer<String> progress;

  /** The refusal of a move whose guarded rows have not moved yet. Nothing was changed. */
  public static final class NotSafe extends KvException.Permanent {
    private static final long serialVersionUID = 1;

    private NotSafe(String message) {
      super(message);
    }
  }

  private LockMove(
      String space,
      Store from,
      Store to,
      List<String> guarded,
      Duration patience,
      Set<String> givenUp,
      Consumer<String> progress) {
    this.space = space;
    this.from = from;
    this.to = to;
    this.guarded = guarded;
    this.patience = patience;
    this.givenUp = givenUp;
    this.progress = progress;
  }

  /**
   * Returns a move with a patience of 10 s.
   *
   * @param space the name of the lock space
   * @param from the old store, whose leader grants the locks
   * @param to the new store, with metadata and locks
   * @param guarded the collections whose rows are written under locks of the space, at least one
   * @throws KvException.InvalidArgument if none is given
   */
  public static LockMove of(String space, Store from, Store to, Collection<String> guarded) {
    if (guarded.isEmpty()) {
      throw new KvException.InvalidArgument(
          "lock space " + space + ": name the collections whose rows its locks guard");
    }
    return new LockMove(
        Objects.requireNonNull(space),
        Objects.requireNonNull(from),
        Objects.requireNonNull(to),
        List.copyOf(guarded),
        DEFAULT_PATIENCE,
        Set.of(),
        line -> {});
  }

  /**
   * Returns the same move with another patience: how long it waits for instances, and again for the
   * held locks.
   *
   * @param newPatience 1 s to 50 s
   * @throws KvException.InvalidArgument if it is not
   */
  public LockMove withPatience(Duration newPatience) {
    if (newPatience.compareTo(Duration.ofSeconds(1)) < 0
        || newPatience.compareTo(MAX_PATIENCE) > 0) {
      throw new KvException.InvalidArgument(
          "a patience of " + newPatience + ": give 1 s to " + MAX_PATIENCE.toSeconds() + " s");
    }
    return new LockMove(space, from, to, guarded, newPatience, givenUp, progress);
  }

  /** Returns the same move, which does not wait for the instances of some services. */
  public LockMove withGivenUp(Set<String> services) {
    return new LockMove(space, from, to, guarded, patience, Set.copyOf(services), progress);
  }

  /** Returns the same move, which reports each step and what it waits for, a line each time. */
  public LockMove withProgress(Consumer<String> newProgress) {
    return new LockMove(
        space, from, to, guarded, patience, givenUp, Objects.requireNonNull(newProgress));
  }

  /**
   * Moves the space, or continues a move. Does nothing if it has ended already.
   *
   * @return the new store's record, which is active
   * @throws NotSafe if the rows of a guarded collection have not moved yet
   * @throws InstancesNotReady if a live instance cannot follow, and the patience is over
   * @throws KvException.Transient if a lock is held, and the patience is over; the fence is lifted
   * @throws KvException.Permanent if the new store has always granted the space's locks, or the old
   *     one has moved it elsewhere
   */
  public LockSpaceRecord move() {
    String source = requireGuardedMoved();
    Gate gate = await(() -> from.locks(space).gate());
    LockSpaceRecord announced =
        await(() -> LockSpaceRecord.announce(to.metadata(), space, Copy.draw(source)));
    Copy copy = Objects.requireNonNull(announced.copy());
    Gate.State state = await(gate::state);
    if (announced.isActive() && state.phase() != Phase.NEW_ONLY) {
      throw new KvException.Permanent(
          "the new store has taken over lock space "
              + space
              + " already, and the old one still grants its locks: stop the services that take"
              + " them; was the old store restored from an older state?");
    }
    if (state.phase() != Phase.NEW_ONLY) {
      progress.accept("lock space " + space + " is announced as copy " + copy.id());
      name(gate, copy);
      state = moveOnLeader(gate, copy);
    }
    long floor = state.floor();
    LockSpaceRecord.requireMove(space, announced, state.copy(), floor);
    LockSpaceRecord active =
        await(() -> LockSpaceRecord.activate(to.metadata(), space, copy, floor));
    progress.accept("lock space " + space + " is active on the new store above " + floor);
    return active;
  }

  /**
   * Checks that all guarded rows have moved: the old leader does not know the tokens of the new
   * store, and would take a late write under one of them.
   *
   * @return the origin of the old store's change log
   */
  private String requireGuardedMoved() {
    String source = "";
    for (String collection : guarded) {
      CollectionRecord record = await(() -> CollectionRecord.read(to.metadata(), collection));
      Copy copy = record == null ? null : record.copy();
      if (record == null || copy == null || !record.isHandedOver()) {
        throw notSafe(collection, record == null ? "holds none" : "has it as '" + record + "'");
      }
      Gate.State state =
          await(
              () ->
                  from.open(collection, record.layout(), Claim.NONE)
                      .thenCompose(opened -> opened.gate().state()));
      if (state.phase() != Phase.NEW_ONLY || !copy.equals(state.copy())) {
        throw notSafe(collection, "has copy " + copy + ", the old one says: " + state);
      }
      source = copy.source();
    }
    return source;
  }

  private NotSafe notSafe(String collection, String found) {
    return new NotSafe(
        "lock space "
            + space
            + " stays where it is, since locks move last: the rows of collection "
            + collection
            + " have not moved; the new store "
            + found
            + ": take the collection into new-only first");
  }

  /** Lets the gate name the move, so that instances look whether they see it. */
  private void name(Gate gate, Copy copy) {
    while (true) {
      Gate.State state = await(gate::state);
      if (copy.equals(state.copy()) || state.phase() == Phase.NEW_ONLY || state.fence() != null) {
        return;
      }
      await(() -> gate.compareAndSet(state, state.withCopy(copy)));
    }
  }

  private Gate.State moveOnLeader(Gate gate, Copy copy) {
    String attempt = fence(gate);
    long fenced = System.nanoTime();
    String told = "";
    try {
      requireNamed(gate, copy);
      while (true) {
        String raised = attempt;
        KvException refusal;
        try {
          Gate.State moved = await(() -> gate.move(raised));
          progress.accept(
              "lock space "
                  + space
                  + " was moved "
                  + TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - fenced)
                  + " ms after the fence");
          return moved;
        } catch (StalePhase e) {
          return await(gate::state);
        } catch (KvException.Transient | KvException.Permanent e) {
          refusal = e;
        }
        if (System.nanoTime() - fenced >= patience.toNanos()) {
          throw refusal;
        }
        told = tell("lock space " + space + " waits: " + refusal.getMessage(), told);
        LockSupport.parkNanos(POLL_NANOS);
        requireNotInterrupted();
        if (refusal instanceof KvException.Permanent) {
          attempt = fence(gate);
          requireNamed(gate, copy);
        }
      }
    } catch (KvException e) {
      lift(gate, attempt);
      throw e;
    }
  }

  /**
   * Checks, under the fence, that the gate still names this move: another mover may have named its
   * own since. Under the fence it cannot change any more.
   */
  private void requireNamed(Gate gate, Copy copy) {
    Gate.State state = await(gate::state);
    if (!copy.equals(state.copy())) {
      throw new KvException.Transient(
          "lock space "
              + space
              + " is being moved as copy "
              + state.copy()
              + ", not "
              + copy
              + ": end the other move, or wait until its fence is lifted");
    }
  }

  /** Raises the fence, or adopts the one of a mover that has died. Returns its attempt. */
  private String fence(Gate gate) {
    String attempt = "locks-" + UUID.randomUUID();
    Duration lifetime = patience.plus(FENCE_MARGIN);
    FenceOptions options =
        FenceOptions.lasting(
                lifetime.compareTo(GateRecord.MAX_FENCE) < 0 ? lifetime : GateRecord.MAX_FENCE)
            .givingUp(givenUp);
    long begun = System.nanoTime();
    String told = "";
    while (true) {
      Gate.Fence standing = await(gate::state).fence();
      if (standing != null) {
        progress.accept("lock space " + space + " is fenced already, by " + standing.attempt());
        return standing.attempt();
      }
      try {
        await(() -> gate.fence(attempt, options));
        progress.accept("lock space " + space + " is fenced, by " + attempt);
        return attempt;
      } catch (StalePhase e) {
        return attempt;
      } catch (InstancesNotReady e) {
        if (System.nanoTime() - begun >= patience.toNanos()) {
          throw e;
        }
        told = tell("lock space " + space + " waits: " + e.getMessage(), told);
        LockSupport.parkNanos(POLL_NANOS);
        requireNotInterrupted();
      }
    }
  }

  private String tell(String line, @Nullable String told) {
    if (!line.equals(told)) {
      progress.accept(line);
    }
    return line;
  }

  /** Best effort: the fence is lifted at its deadline anyway. */
  private void lift(Gate gate, String attempt) {
    try {
      await(() -> gate.lift(attempt).thenApply(lifted -> attempt));
      progress.accept("lock space " + space + " grants locks again: the fence is lifted");
    } catch (KvException e) {
      progress.accept("the fence of lock space " + space + " stays until its end: " + e);
    }
  }

  private void requireNotInterrupted() {
    if (Thread.currentThread().isInterrupted()) {
      throw new KvException.Transient(
          "the move of lock space " + space + " was interrupted: call again");
    }
  }

  /** An answer that does not come is worth another try: every request here may be repeated. */
  private static <T> T await(Supplier<CompletionStage<T>> request) {
    return Coordinator.await(request, KvException.Transient::new);
  }
}
