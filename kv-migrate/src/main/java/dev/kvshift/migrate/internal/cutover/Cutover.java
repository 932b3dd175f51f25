package dev.kvshift.migrate.internal.cutover;

import dev.kvshift.api.KvException;
import dev.kvshift.migrate.api.CutoverReport;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.MigrationOptions;
import dev.kvshift.migrate.api.WritePause;
import dev.kvshift.migrate.internal.apply.ChangePipeline;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.context.RunContext;
import dev.kvshift.migrate.internal.ledger.Certificate;
import dev.kvshift.migrate.internal.ledger.CutoverRecord;
import dev.kvshift.migrate.internal.ledger.Event;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.verify.TailCheck;
import dev.kvshift.spi.FenceOptions;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.InstancesNotReady;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.StalePhase;
import java.time.Duration;
import java.time.Instant;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Hands the collection over: fence, drain, check, move, activate.
 *
 * <p><b>Problem.</b> Until now the source's leader has issued every version, and the target has
 * followed it through the topic, some milliseconds behind. At one instant the leader has to stop
 * for good and the target has to take over, while services write and none of them knows the
 * instant. No acknowledged write may be lost, writers wait for less than a second, and the runner
 * may die anywhere.
 *
 * <p><b>Idea.</b> A fence is a record in the change log. The leader commits no write after it;
 * writers wait. What precedes the fence is finite, so it can be applied to the last change and
 * verified. Then one compare-and-set at the leader, the move, is the instant of the hand-over.
 * Everything before it can be undone by lifting the fence, everything after it can be repeated.
 *
 * <p><b>Invariants</b>, and what breaks without each:
 *
 * <ol>
 *   <li><i>No write is committed between the fence and the move.</i> The leader guarantees it. Such
 *       a write would be acknowledged and never reach the target.
 *   <li><i>Drained means: the marker of this attempt is applied on every partition.</i> The stream
 *       sends markers only after the broker has acknowledged everything before the fence. Markers
 *       of an earlier, lifted attempt would vouch for changes committed since; a marker of one
 *       partition says nothing about the others.
 *   <li><i>The certificate is complete and durable before the move.</i> Comparison, tail check,
 *       accounting and quarantine are the only evidence that following worked. Without them, a
 *       difference moves along and becomes the truth. Only the attempt whose fence is in place
 *       writes it; another runner's draft would replace the proof of the move.
 *   <li><i>An attempt lifts its own fence, and no other.</i> Whether the runner that raised another
 *       one is dead or slow, which cannot be told from outside, and lifting it would end the
 *       attempt of a live runner. The leader lifts it at its deadline; until then, a runner that
 *       finds one waits.
 *   <li><i>Whatever ends an attempt, its fence is lifted.</i> Also after an interrupt, whose flag
 *       would end every wait at once and leave the writers waiting for the deadline.
 *   <li><i>The move names its attempt, and fails once that fence is lifted.</i> The leader lifts a
 *       fence automatically after its lifetime, so that a dead runner does not stop writers. If the
 *       move did not depend on the fence, writes committed after the lift would be lost.
 *   <li><i>An unknown outcome of the move is resolved by reading the gate.</i> Taking it for a
 *       failure would leave the target importing while the leader refuses all services; taking it
 *       for a success would activate the target while the leader still issues versions.
 *   <li><i>Every live instance has proved that it can follow.</i> Its report names the copy on its
 *       new side; the gate refuses fence and move while one sees another copy, or none. Such an
 *       instance would write to a store that nobody reads, or fail all its requests.
 *   <li><i>Source, target and topic are the ones that were prepared, proved before the fence and
 *       again before the move.</i> A restored leader or another store with a collection of that
 *       name would be moved under a certificate made for another.
 *   <li><i>Activation follows the move.</i> The other way round, both stores would accept writes.
 *       If the runner dies in between, the next one finds the collection moved and activates it
 *       with the floor that the gate holds.
 * </ol>
 *
 * <p>The pause is bounded by giving up: an attempt that is not done within the pause limit lifts
 * its fence, and a new attempt with a new name follows. After ten attempts the cutover is refused;
 * the writers are at the source, as before.
 */
public final class Cutover {
  private static final Logger LOG = LoggerFactory.getLogger(Cutover.class);
  private static final int MAX_ATTEMPTS = 10;

  /** A fence lives 60 s at most; some more for a slow leader. */
  private static final Duration LONGEST_FENCE = Duration.ofSeconds(70);

  private static final long LONGEST_FENCE_PAUSE_MILLIS = 100;
  private static final long PAUSE_BETWEEN_MILLIS = 500;

  private final RunContext context;
  private final MigrationOptions options;
  private final Gate gate;
  private final Ledger ledger;
  private final ChangePipeline pipeline;
  private final TailCheck tail;
  private final Readiness readiness;
  private final HandOver handOver;

  /** Creates a cutover of a collection that is about to be ready. */
  public Cutover(RunContext context, Ledger ledger, Readiness readiness, HandOver handOver) {
    this.context = context;
    this.options = context.options();
    this.gate = context.source().gate();
    this.ledger = ledger;
    this.pipeline = readiness.pipeline();
    this.tail = readiness.tail();
    this.readiness = readiness;
    this.handOver = handOver;
  }

  /**
   * Moves the collection.
   *
   * @throws MigrationException.CutoverRefused if the certificate is not complete, or no attempt
   *     drained in time
   * @throws MigrationException.Mismatch if the tail check has found differences
   */
  public CutoverReport run() {
    for (int number = 1; ; number++) {
      awaitNoFence();
      readiness.awaitInstances(options.givenUp());
      Certificate ready = readiness.certifyStop();
      String attempt = UUID.randomUUID().toString();
      try {
        return attempt(attempt, number, ready);
      } catch (InstancesNotReady e) {
        lift(attempt, e);
        if (number == MAX_ATTEMPTS) {
          throw readiness.notReady(e.getMessage());
        }
        Await.pause(PAUSE_BETWEEN_MILLIS * number);
      } catch (NotDrained e) {
        lift(attempt, e);
        if (number == MAX_ATTEMPTS) {
          throw new MigrationException.CutoverRefused(
              "the changes could not be drained within "
                  + options.pauseLimit().toMillis()
                  + " ms in any of "
                  + MAX_ATTEMPTS
                  + " attempts ("
                  + e.getMessage()
                  + "); the writers continue at the source: check the broker and the target, and"
                  + " start the cutover again");
        }
        Await.pause(PAUSE_BETWEEN_MILLIS * number);
      } catch (RuntimeException | Error e) {
        try {
          lift(attempt, e);
        } catch (RuntimeException failed) {
          e.addSuppressed(failed);
        }
        throw e;
      }
    }
  }

  private FenceOptions fenceOptions() {
    return FenceOptions.lasting(options.fenceLifetime()).givingUp(options.givenUp());
  }

  private static final class NotDrained extends RuntimeException {
    private static final long serialVersionUID = 1;

    NotDrained(String message) {
      super(message);
    }
  }

  private CutoverReport attempt(String attempt, int number, Certificate ready) {
    CutoverRecord record = handOver.begin(attempt);
    ledger.append(Event.fencing(record));
    Certificate former = ledger.get(Certificate.KEY);

    Stopwatch stopwatch = new Stopwatch();
    long end = System.nanoTime() + options.pauseLimit().toNanos();
    Instant sent = context.clock().instant();
    Gate.Fence fence = Await.of(gate.fence(attempt, fenceOptions()));
    Certificate.Requested requested = new Certificate.Requested(sent, context.clock().instant());
    Duration fenced = stopwatch.lap();
    drain(fence, end);
    Duration drained = stopwatch.lap();
    Certificate complete = checkTail(fence, requested, ready, end);
    readiness.identity().requireSides();
    ledger.replace(Certificate.KEY, former, complete);
    if (left(end).isZero()) {
      throw new NotDrained("verified, but too late");
    }
    Duration tailChecked = stopwatch.lap();
    Gate.State state = move(attempt);
    Duration moved = stopwatch.lap();
    return handOver.complete(
        record, number, state.floor(), new WritePause(fenced, drained, tailChecked, moved));
  }

  private void drain(Gate.Fence fence, long end) {
    if (!pipeline.applied().awaitMarkers(fence.attempt(), left(end), readiness::check)) {
      throw new NotDrained(
          "fence at position "
              + fence.position()
              + ", streamed up to "
              + pipeline.streamedPosition()
              + ", applied up to "
              + pipeline.applied().position());
    }
  }

  private Certificate checkTail(
      Gate.Fence fence, Certificate.Requested requested, Certificate ready, long end) {
    if (!tail.checked().awaitMarkers(fence.attempt(), left(end), readiness::check)) {
      throw new NotDrained(
          "applied, but verified up to position "
              + tail.checked().position()
              + " of "
              + fence.position()
              + " only");
    }
    long differences = tail.settle().differences();
    Certificate complete =
        ready.with(
            new Certificate.FenceCheck(
                fence.attempt(),
                fence.version(),
                fence.position(),
                pipeline.applied().offsets().size(),
                new Certificate.Tail(tail.keysRead(), differences),
                requested,
                context.clock().instant()),
            readiness.quarantined());
    complete.requireComplete(context.clock().instant());
    return complete;
  }

  private Gate.State move(String attempt) {
    try {
      return Await.of(gate.move(attempt));
    } catch (KvException.Transient | KvException.UnknownOutcome e) {
      Gate.State state = context.await(gate::state);
      if (state.phase() == Phase.NEW_ONLY || isFencedBy(attempt, state)) {
        return Await.of(gate.move(attempt));
      }
      throw new NotDrained("the fence was lifted before the move");
    } catch (KvException.Permanent e) {
      Gate.State state = context.await(gate::state);
      if (state.phase() == Phase.NEW_ONLY || isFencedBy(attempt, state)) {
        throw e;
      }
      throw new NotDrained("the fence was lifted before the move");
    }
  }

  private static boolean isFencedBy(String attempt, Gate.State state) {
    return state.fence() != null && state.fence().attempt().equals(attempt);
  }

  /**
   * Waits until no fence is in place. One that is there was raised by another runner, which may be
   * alive; the leader lifts it at its deadline.
   */
  private void awaitNoFence() {
    long end = System.nanoTime() + LONGEST_FENCE.toNanos();
    Gate.State state = context.await(gate::state);
    for (int attempt = 0; state.fence() != null; attempt++) {
      if (System.nanoTime() - end >= 0) {
        throw new MigrationException.CutoverRefused(
            "another runner fences collection "
                + context.collection()
                + " (attempt "
                + state.fence().attempt()
                + "): let it finish or stop it, and start the cutover again");
      }
      readiness.check();
      Await.pause(Math.min(Await.pauseMillis(attempt), LONGEST_FENCE_PAUSE_MILLIS));
      state = context.await(gate::state);
    }
    if (state.phase() == Phase.NEW_ONLY) {
      throw new KvException.Transient(
          "collection "
              + context.collection()
              + " has moved meanwhile: start the cutover again to finish it");
    }
    if (state.phase() != Phase.LEGACY) {
      throw new MigrationException.CutoverRefused(
          "collection "
              + context.collection()
              + " is in phase "
              + state.phase()
              + ", and only one in LEGACY is fenced: finish the dual-write cutover, or roll it"
              + " back");
    }
  }

  /**
   * Lifts the fence of an own attempt unless the attempt has moved the collection, which the gate
   * decides. Is not kept from it by an interrupt, which stays set.
   */
  private void lift(String attempt, Throwable why) {
    boolean isInterrupted = Thread.interrupted();
    try {
      context.await(() -> gate.lift(attempt));
      ledger.append(Event.lifted(attempt, String.valueOf(why.getMessage())));
    } catch (StalePhase e) {
      LOG.debug("attempt {} ended after the collection had moved", attempt, e);
    } finally {
      if (isInterrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static Duration left(long end) {
    return Duration.ofNanos(Math.max(0, end - System.nanoTime()));
  }

  /** Measures consecutive parts of the pause. */
  private static final class Stopwatch {
    private long lastNanos = System.nanoTime();

    Duration lap() {
      long now = System.nanoTime();
      Duration lap = Duration.ofNanos(now - lastNanos);
      lastNanos = now;
      return lap;
    }
  }
}
