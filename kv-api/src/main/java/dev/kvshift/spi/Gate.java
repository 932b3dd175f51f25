package dev.kvshift.spi;

import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The authority over one collection, held durably by the old store's leader.
 *
 * <p>Every step raises the epoch. Requests whose epoch is below {@code acceptMin} are refused with
 * {@link StalePhase}: reads, writes, versioned writes and locks alike. Safe for use by many threads
 * and processes: every change is a compare-and-set.
 */
public interface Gate {
  /**
   * The state of a collection's gate. Immutable.
   *
   * <p>A new collection begins with {@link #first()}; every other state is derived from one by its
   * {@code with} methods, so that a state can gain members.
   */
  final class State {
    /** The ramp of a phase that applies to every main key: 100 percent. */
    public static final int ALL = 100;

    private static final State FIRST = new State(new Members());

    private final Members members;

    private State(Members members) {
      this.members = members;
    }

    /** The members by name, copied on each change: so many positions would be easy to mix up. */
    private static final class Members implements Cloneable {
      private long epoch;
      private Phase phase = Phase.LEGACY;
      private long acceptMin;
      private @Nullable Fence fence;
      private boolean sealed;
      private long floor;
      private long versionCeiling;
      private long applied;
      private @Nullable Copy copy;
      private long incarnation = 1;
      private int ramp = ALL;
      private boolean wayBack;
      private boolean clockOrdered;

      @Override
      protected Members clone() {
        try {
          return (Members) super.clone();
        } catch (CloneNotSupportedException e) {
          throw new AssertionError(e);
        }
      }

      private List<@Nullable Object> all() {
        return Arrays.asList(
            epoch,
            phase,
            acceptMin,
            fence,
            sealed,
            floor,
            versionCeiling,
            applied,
            copy,
            incarnation,
            ramp,
            wayBack,
            clockOrdered);
      }
    }

    /** Returns the state of a collection that no migration has touched: legacy, epoch 0. */
    public static State first() {
      return FIRST;
    }

    private State with(Consumer<Members> change) {
      Members changed = members.clone();
      change.accept(changed);
      return new State(changed);
    }

    /** Returns the epoch, which rises at every step, backwards too; 0 before the first. */
    public long epoch() {
      return members.epoch;
    }

    /** Returns the same state with another epoch. */
    public State withEpoch(long epoch) {
      return with(next -> next.epoch = epoch);
    }

    /** Returns the collection's phase. */
    public Phase phase() {
      return members.phase;
    }

    /** Returns the same state in another phase. */
    public State withPhase(Phase phase) {
      return with(next -> next.phase = Objects.requireNonNull(phase));
    }

    /** Returns the lowest epoch that is served. */
    public long acceptMin() {
      return members.acceptMin;
    }

    /** Returns the same state with another lowest epoch. */
    public State withAcceptMin(long acceptMin) {
      return with(next -> next.acceptMin = acceptMin);
    }

    /** Returns the raised fence; null if there is none. */
    public @Nullable Fence fence() {
      return members.fence;
    }

    /** Returns the same state with another fence; null for none. */
    public State withFence(@Nullable Fence fence) {
      return with(next -> next.fence = fence);
    }

    /** Returns whether the leader refuses every request, as the dual-write cutover makes it. */
    public boolean sealed() {
      return members.sealed;
    }

    /** Returns the same state, sealed or not. */
    public State withSealed(boolean sealed) {
      return with(next -> next.sealed = sealed);
    }

    /** Returns the version above which the new store issues its own, µs; 0 before new-only. */
    public long floor() {
      return members.floor;
    }

    /** Returns the same state with another floor. */
    public State withFloor(long floor) {
      return with(next -> next.floor = floor);
    }

    /** Returns a version that the leader has not exceeded, µs. */
    public long versionCeiling() {
      return members.versionCeiling;
    }

    /** Returns the same state with another version ceiling. */
    public State withVersionCeiling(long versionCeiling) {
      return with(next -> next.versionCeiling = versionCeiling);
    }

    /**
     * Returns W, the applied watermark that the runner has published: every version up to it is on
     * the new store; 0 for none.
     */
    public long applied() {
      return members.applied;
    }

    /** Returns the same state with another applied watermark. */
    public State withApplied(long applied) {
      return with(next -> next.applied = applied);
    }

    /** Returns the copy that the migration fills; null before one is prepared. */
    public @Nullable Copy copy() {
      return members.copy;
    }

    /** Returns the same state for another copy; null for none. */
    public State withCopy(@Nullable Copy copy) {
      return with(next -> next.copy = copy);
    }

    /** Returns the incarnation of the target's copy that the migration fills, from 1. */
    public long incarnation() {
      return members.incarnation;
    }

    /** Returns the same state with another incarnation. */
    public State withIncarnation(long incarnation) {
      return with(next -> next.incarnation = incarnation);
    }

    /**
     * Returns the percentage of the main keys to which the phase applies: to shadow writes in
     * shadow-write, to reads from the new store in new-read. Correctness does not depend on it.
     */
    public int ramp() {
      return members.ramp;
    }

    /**
     * Returns the same state with another ramp.
     *
     * @param percent 0 to 100
     * @throws KvException.InvalidArgument if it is not
     */
    public State withRamp(int percent) {
      if (percent < 0 || percent > ALL) {
        throw new KvException.InvalidArgument("a ramp of " + percent + " percent: give 0 to 100");
      }
      return with(next -> next.ramp = percent);
    }

    /**
     * Returns whether the collection keeps a way back when it moves: it is then handed to the
     * clocks first ({@link #isClockOrdered}), and not to the new store alone.
     */
    public boolean keepsWayBack() {
      return members.wayBack;
    }

    /** Returns the same state, which keeps a way back when it moves, or does not. */
    public State withWayBack(boolean wayBack) {
      return with(next -> next.wayBack = wayBack);
    }

    /**
     * Returns whether the leader has handed the collection to the clocks: it draws no version and
     * takes no step, takes writes that have a version, and can lead again. The gate of the phases
     * is in the new store's metadata meanwhile: protocol, 12.
     */
    public boolean isClockOrdered() {
      return members.clockOrdered;
    }

    /** Returns whether the leader draws versions: it has handed the collection to nobody. */
    public boolean isLed() {
      return members.phase != Phase.NEW_ONLY && !members.clockOrdered;
    }

    /** Returns the same state, ordered by clocks or by the leader. */
    public State withClockOrder(boolean clockOrdered) {
      return with(next -> next.clockOrdered = clockOrdered);
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof State that && members.all().equals(that.members.all());
    }

    @Override
    public int hashCode() {
      return members.all().hashCode();
    }

    @Override
    public String toString() {
      return members.phase
          + " (epoch "
          + members.epoch
          + ", accepts from "
          + members.acceptMin
          + ", floor "
          + members.floor
          + ", copy "
          + members.copy
          + ", incarnation "
          + members.incarnation
          + (members.ramp == ALL ? "" : ", ramp " + members.ramp + " %")
          + (members.wayBack ? ", way back kept" : "")
          + (members.clockOrdered ? ", ordered by clocks" : "")
          + (members.sealed ? ", sealed" : "")
          + (members.fence == null ? "" : ", " + members.fence)
          + ")";
    }
  }

  /**
   * A fence: a record in the change log after which no write is committed until it is lifted.
   * Immutable.
   */
  final class Fence {
    private final String attempt;
    private final long version;
    private final long position;
    private final Instant deadline;

    private Fence(String attempt, long version, long position, Instant deadline) {
      this.attempt = Objects.requireNonNull(attempt, "attempt");
      this.version = version;
      this.position = position;
      this.deadline = Objects.requireNonNull(deadline, "deadline");
    }

    /**
     * Returns a fence, for drivers.
     *
     * @param attempt the runner's unique name for this attempt
     * @param version F, issued by the commit pipeline like any version
     * @param position its place in the change log
     * @param deadline when the leader lifts it, by the leader's clock
     */
    public static Fence of(String attempt, long version, long position, Instant deadline) {
      return new Fence(attempt, version, position, deadline);
    }

    /** Returns the runner's unique name for this attempt. */
    public String attempt() {
      return attempt;
    }

    /** Returns F: everything that the leader has committed has a lower version. */
    public long version() {
      return version;
    }

    /** Returns the fence's place in the change log. */
    public long position() {
      return position;
    }

    /** Returns when the leader lifts the fence, by the leader's clock. */
    public Instant deadline() {
      return deadline;
    }

    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Fence that
          && attempt.equals(that.attempt)
          && version == that.version
          && position == that.position
          && deadline.equals(that.deadline);
    }

    @Override
    public int hashCode() {
      return Objects.hash(attempt, version, position, deadline);
    }

    @Override
    public String toString() {
      return "fence of " + attempt + " at position " + position + ", until " + deadline;
    }
  }

  /** A live instance, as the leader knows it. Immutable. */
  final class Instance {
    private final InstanceReport report;
    private final InstanceReport.Use use;
    private final Instant leaseEnds;

    private Instance(InstanceReport report, InstanceReport.Use use, Instant leaseEnds) {
      this.report = report;
      this.use = use;
      this.leaseEnds = leaseEnds;
    }

    /**
     * Returns an instance.
     *
     * @param report its last report
     * @param use the part of the report about this collection
     * @param leaseEnds when its lease ends, by the leader's clock
     */
    public static Instance of(InstanceReport report, InstanceReport.Use use, Instant leaseEnds) {
      return new Instance(report, use, leaseEnds);
    }

    /** Returns its name, unique to the process. */
    public String name() {
      return report.instance();
    }

    /** Returns its last report. */
    public InstanceReport report() {
      return report;
    }

    /** Returns the part of its last report about this collection. */
    public InstanceReport.Use use() {
      return use;
    }

    /** Returns when its lease ends, by the leader's clock. */
    public Instant leaseEnds() {
      return leaseEnds;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Instance that
          && report.equals(that.report)
          && use.equals(that.use)
          && leaseEnds.equals(that.leaseEnds);
    }

    @Override
    public int hashCode() {
      return Objects.hash(report, use, leaseEnds);
    }

    @Override
    public String toString() {
      return report.service() + " " + name() + " (" + use + ", until " + leaseEnds + ")";
    }
  }

  /** Reads the state. */
  CompletionStage<State> state();

  /**
   * Takes a step: changes epoch, phase, acceptMin, copy, incarnation, ramp and whether a way back
   * is kept to those of {@code next}, if epoch and acceptMin are still those of {@code expected}.
   * The other members are the leader's own. W restarts at 0 with another copy or incarnation.
   *
   * <p>From clock order there is one step, the way back: to legacy, with a higher incarnation and a
   * higher epoch, below which nothing is accepted. The leader then leads again, above every version
   * that it holds.
   *
   * <p>Fails, and changes nothing,
   *
   * <ul>
   *   <li>with {@code Permanent} if {@code next} is not a step: epoch, acceptMin or incarnation
   *       would fall, acceptMin would exceed the epoch, the phase would change without a higher
   *       epoch, to one that is not a neighbour, or to new-only, or the copy would change outside
   *       phase legacy;
   *   <li>with {@code Transient} while a fence is raised;
   *   <li>with {@link InstancesNotReady} if it is a step up and a live instance cannot follow;
   *   <li>with {@code StalePhase} once the collection is handed over.
   * </ul>
   *
   * @param expected the state that the caller has read
   * @param next the state after the step
   * @return whether it was changed; an unknown outcome is resolved by reading the state
   */
  CompletionStage<Boolean> compareAndSet(State expected, State next);

  /**
   * Raises the fence. Writes then wait at the leader until it is lifted or the collection is moved.
   * Repeating the call with the same attempt returns the raised fence.
   *
   * <p>Fails, and raises no fence,
   *
   * <ul>
   *   <li>with {@code Transient} if another attempt's fence is raised;
   *   <li>with {@code Permanent} if this attempt's fence was lifted before, so that a late request
   *       raises none;
   *   <li>with {@link InstancesNotReady} while a live instance, not given up, cannot follow into
   *       new-only;
   *   <li>with {@code StalePhase} once the collection is handed over.
   * </ul>
   *
   * @param attempt the runner's unique name for this attempt, 1 to 256 characters
   * @param options the fence's lifetime, and the services that need not be ready
   */
  CompletionStage<Fence> fence(String attempt, FenceOptions options);

  /**
   * Lifts the attempt's fence and ends the attempt, which can raise none from then on. Succeeds if
   * no fence is raised; fails with {@code StalePhase} once the collection is handed over.
   *
   * @param attempt the runner's name for the attempt
   */
  CompletionStage<Void> lift(String attempt);

  /**
   * Hands the collection over for ever: sets the phase to new-only and the floor to F, and raises
   * epoch and acceptMin, in one compare-and-set on the attempt. Repeating the call after it
   * succeeded returns the same state. If a way back is kept, it is handed to the clocks instead, in
   * phase new-primary.
   *
   * <p>Fails with {@code Permanent} if the attempt's fence is no longer raised, and with {@link
   * InstancesNotReady} while a live instance, not given up at the fence, cannot follow.
   *
   * @param attempt the attempt that has raised the fence
   */
  CompletionStage<State> move(String attempt);

  /**
   * Hands the collection over in a dual-write cutover: refuses every request from now on, sets the
   * phase to new-only and the floor to the leader's last version, and raises epoch and acceptMin.
   * Repeating the call with the same epoch returns the same state. If a way back is kept, it is
   * handed to the clocks instead, in phase new-primary; a call with the epoch of that ends the way
   * back and hands it over for ever, with the floor that it has.
   *
   * <p>Fails with {@code Permanent} if the epoch is another one, or if its phase is not new-primary
   * or not every instance has entered it, with {@code Transient} while a fence is raised, and with
   * {@link InstancesNotReady} while a live instance cannot follow.
   *
   * <p>A leader may hold its versions back for a moment before. Services wait until their clocks
   * have passed the floor by the skew limit, which they then have already.
   *
   * @param epoch the epoch in which the collection entered new-primary
   */
  CompletionStage<State> seal(long epoch);

  /**
   * Writes a key's current row (value or tombstone) again at a new version above {@code atLeast}
   * and logs it, in one step.
   *
   * @param key the key; its shard is empty
   * @param atLeast a version in microseconds since 1970; {@code Permanent} if it is more than 1 s
   *     ahead of the leader's clock
   * @return the row at its new version
   */
  CompletionStage<Row> reassert(StoreKey key, long atLeast);

  /**
   * Publishes W, the applied watermark: every version up to it is on the new store. W never falls;
   * a lower one changes nothing.
   *
   * @param version W; {@code Permanent} if the leader has not issued that version yet
   */
  CompletionStage<Void> applied(long version);

  /**
   * Lists the instances whose lease may still hold, at most 10,000, and the clients that have used
   * the collection without a report in the last ten seconds. An instance is gone 1 s after its
   * lease has ended by the leader's clock. {@link Store#report} begins and renews leases.
   */
  CompletionStage<List<Instance>> instances();

  /** The maximum number of clients that {@link #usage} names: 1,000. */
  int MAX_USERS = 1_000;

  /**
   * Lists the clients that have sent requests for the collection, or for the locks of the space,
   * since an instant, at most {@link #MAX_USERS}, the last seen first. Refused requests count, too,
   * requests of the runner do not. The leader remembers clients over restarts. {@link
   * Capability#USAGE}.
   *
   * @param since an instant by the leader's clock
   */
  default CompletionStage<Usage> usage(Instant since) {
    return CompletableFuture.failedFuture(
        new KvException.UnsupportedCapability(Capability.USAGE, "the gate of this store"));
  }

  /**
   * Reports each new epoch that a reply of the leader shows, until the store is closed. May report
   * an epoch twice.
   *
   * @param listener receives the epochs; it must not block
   */
  void listen(LongConsumer listener);

  /** The time for which an instance may work without asking the leader again: 5 s. */
  Duration LEASE = Duration.ofSeconds(5);
}
