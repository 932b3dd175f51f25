package dev.kvshift.transition;

import dev.kvshift.api.KvException;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Gate.State;
import dev.kvshift.spi.InstanceRegistry;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The time in clock order after a move that keeps a way back: protocol, 12. The new store answers
 * and acknowledges alone, and the old one follows at the same versions, so that it can lead again.
 * The time ends by {@link #goBack} or by {@link #finish}.
 *
 * <p>Its phases are held by a {@link MetadataGate} in the new store, so that the old one may be
 * down; the old store's leader alone decides the move and the way back, each by one
 * compare-and-set. Blocking; each method can be called again after any failure, by any process.
 */
public final class ClockEra {
  private final String collection;
  private final StoreCollection old;
  private final Gate leader;
  private final Store fresh;
  private final MetadataGate gate;
  private final Duration patience;
  private final Consumer<String> progress;
  private final Duration leases;

  /** Runs the pass of a way back. */
  @FunctionalInterface
  public interface PassRunner {
    /**
     * Runs a pass to its end.
     *
     * @param merged the state in which it begins; it can be resumed in this epoch alone
     * @return what it has found
     */
    MergePass.Counts run(MergePass pass, State merged);
  }

  private ClockEra(
      String collection,
      StoreCollection old,
      Store fresh,
      MetadataGate gate,
      Duration patience,
      Consumer<String> progress,
      Duration leases) {
    this.collection = collection;
    this.old = old;
    this.leader = old.gate();
    this.fresh = fresh;
    this.gate = gate;
    this.patience = patience;
    this.progress = progress;
    this.leases = leases;
  }

  /**
   * Returns the time in clock order of a collection.
   *
   * @param old the old store's collection
   * @param fresh the new store, which stays the caller's
   * @param patience how long each step waits for the instances
   * @param progress receives what is done and waited for, a line each time
   * @throws KvException.Permanent if the new store does not show deletes, or lacks anything else
   *     that a way back needs
   */
  public static ClockEra of(
      StoreCollection old, Store fresh, Duration patience, Consumer<String> progress) {
    requireNewSide(fresh, old.name());
    return new ClockEra(
        old.name(),
        old,
        fresh,
        MetadataGate.of(fresh, old.name()),
        Objects.requireNonNull(patience),
        Objects.requireNonNull(progress),
        Gate.LEASE.plus(InstanceRegistry.LEASE_MARGIN));
  }

  /** Returns the same era, if no instance has a lease of before the move any more. */
  ClockEra withoutLeases() {
    return new ClockEra(collection, old, fresh, gate, patience, progress, Duration.ZERO);
  }

  /**
   * Checks what a way back of a collection needs of the new store.
   *
   * @throws KvException.Permanent if it lacks that
   */
  public static void requireNewSide(Store fresh, String collection) {
    ClockOrder.requireSide(
        fresh, collection, "without which there is no way back after the move", "move for good");
  }

  /**
   * Begins the time in the new store's gate, unless it has begun, and returns the gate's state.
   *
   * @throws KvException.Permanent if the leader has not handed the collection to the clocks
   */
  State begin() {
    State led = requireHanded();
    if (led.isClockOrdered()) {
      await(() -> MetadataGate.begin(fresh, collection, led));
    }
    return await(gate::state);
  }

  /**
   * Begins the time of a collection in the new store's gate, unless it has begun. Services do so as
   * well.
   *
   * @param handed the leader's state, ordered by clocks
   */
  public static CompletionStage<Void> begin(Store fresh, String collection, State handed) {
    return MetadataGate.begin(fresh, collection, handed);
  }

  /**
   * Takes the collection back to its old store, which leads again. No writer waits for anything but
   * its own requests, and nothing that was acknowledged or read is lost. From then on, the next
   * move needs a new import.
   *
   * <p>Every instance enters the merge of both sides; a pass over all keys brings the old store
   * what it has missed; then one compare-and-set lets the leader lead.
   *
   * @param runner runs the pass, which may be held to a rate, saved and resumed
   * @return what the pass has found; null if an earlier call had taken the collection back
   * @throws KvException.Permanent if the collection was finished, or never moved
   */
  public MergePass.@Nullable Counts goBack(PassRunner runner) {
    State led = await(leader::state);
    if (isBack(led)) {
      await(() -> gate.end(led));
      return null;
    }
    State begun = begin();
    if (begun.phase() == Phase.NEW_ONLY) {
      throw finished();
    }
    if (!begun.sealed()) {
      outlastLeases();
      coordinator().moveTo(Phase.NEW_READ, patience);
    }
    State merged = await(gate::state);
    progress.accept("collection " + collection + ": a pass over both sides");
    MergePass.Counts counts = runner.run(pass(merged), merged);
    await(() -> gate.close(merged.epoch()));
    long epoch = merged.epoch() + 1;
    State next =
        State.first().withEpoch(epoch).withAcceptMin(epoch).withIncarnation(led.incarnation() + 1);
    await(() -> leader.compareAndSet(led, next));
    State now = await(leader::state);
    if (!isBack(now)) {
      throw new KvException.Transient(
          "collection " + collection + " is " + now + " and has not gone back yet: call again");
    }
    await(() -> gate.end(now));
    progress.accept("collection " + collection + " is led by its old store again, in " + now);
    return counts;
  }

  /**
   * Ends the way back: the new store serves alone, for ever.
   *
   * @return the new store's record
   * @throws KvException.Permanent if the collection has gone back, or never moved
   */
  public CollectionRecord finish() {
    State begun = begin();
    if (begun.phase() != Phase.NEW_ONLY) {
      coordinator().moveTo(Phase.NEW_PRIMARY, patience);
    }
    State last = await(gate::state);
    State sealed = last.phase() == Phase.NEW_ONLY ? last : await(() -> gate.seal(last.epoch()));
    CollectionRecord record = await(() -> fresh.activate(collection, copy(sealed), sealed.floor()));
    State led = await(leader::state);
    if (led.isClockOrdered()) {
      await(() -> leader.seal(led.epoch()));
    }
    return record;
  }

  /**
   * Waits until every lease that the leader has given before the move is over. The gate in the new
   * store does not know these instances, and one of them may still read from the new side, as in
   * the leader's new-primary, without having heard of the move.
   */
  private void outlastLeases() {
    progress.accept(
        "collection " + collection + " waits until the leases of before its move are over");
    long end = System.nanoTime() + leases.toNanos();
    while (System.nanoTime() - end < 0) {
      LockSupport.parkNanos(end - System.nanoTime());
      if (Thread.currentThread().isInterrupted()) {
        throw new KvException.Transient(
            "collection " + collection + " did not go back: interrupted, call again");
      }
    }
  }

  private static boolean isBack(State led) {
    return !led.isClockOrdered() && led.phase() == Phase.LEGACY && led.epoch() > 0;
  }

  private State requireHanded() {
    State led = await(leader::state);
    if (led.phase() == Phase.NEW_ONLY && !led.keepsWayBack()) {
      State known = await(gate::state);
      if (known.phase() == Phase.NEW_ONLY) { // finished, perhaps by half
        return led;
      }
      throw finished();
    }
    if (!led.isClockOrdered()) {
      throw new KvException.Permanent(
          "collection "
              + collection
              + " is in "
              + led
              + ": it was not moved with a way back, so that there is neither a way back nor an end"
              + " of it");
    }
    return led;
  }

  private KvException finished() {
    return new KvException.Permanent(
        "collection "
            + collection
            + " has moved for good, and there is no way back: the old store lacks what was written"
            + " since");
  }

  private Coordinator coordinator() {
    return Coordinator.inClockOrder(collection, gate, merged -> pass(merged).run())
        .withProgress(progress);
  }

  private MergePass pass(State merged) {
    Claim claim = Claim.importing(copy(merged));
    StoreCollection onNew = await(() -> fresh.open(collection, old.layout(), claim));
    return MergePass.of(old, onNew).backFrom(merged);
  }

  private Copy copy(State state) {
    return Objects.requireNonNull(
        state.copy(), () -> "the gate of " + collection + " names no copy");
  }

  private static <T extends @Nullable Object> T await(Supplier<CompletionStage<T>> request) {
    return Coordinator.await(request, KvException.Transient::new);
  }
}
