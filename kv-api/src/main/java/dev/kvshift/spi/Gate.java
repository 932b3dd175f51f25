package dev.kvshift.spi;

import dev.kvshift.api.KvException;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The authority over one collection, held durably by the old store's leader.
 *
 * <p>Every step raises the epoch. Requests whose epoch is below {@code acceptMin} are refused with
 * {@link dev.kvshift.api.StalePhase}: reads, writes, versioned writes and locks alike. Safe for use
 * by many threads and processes: every change is a compare-and-set.
 */
public interface Gate {
  /**
   * What the gate says of its collection. Immutable.
   *
   * <p>A new collection begins with {@link #first()}; every other state is made from one by its
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

    /** The members by name, copied on each change: positions would not say which is which. */
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
            ramp);
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

    /** Returns the fence that stands, or null. */
    public @Nullable Fence fence() {
      return members.fence;
    }

    /** Returns the same state with that fence, or with none. */
    public State withFence(@Nullable Fence fence) {
      return with(next -> next.fence = fence);
    }

    /** Returns whether the leader refuses every request, on the dual-write way into new-only. */
    public boolean sealed() {
      return members.sealed;
    }

    /** Returns the same state, sealed or not. */
    public State withSealed(boolean sealed) {
      return with(next -> next.sealed = sealed);
    }

    /** Returns the version above which the new store's own begin, µs; 0 before new-only. */
    public long floor() {
      return members.floor;
    }

    /** Returns the same state with another floor. */
    public State withFloor(long floor) {
      return with(next -> next.floor = floor);
    }

    /** Returns the version above which the leader has issued none, µs. */
    public long versionCeiling() {
      return members.versionCeiling;
    }

    /** Returns the same state with another version ceiling. */
    public State withVersionCeiling(long versionCeiling) {
      return with(next -> next.versionCeiling = versionCeiling);
    }

    /**
     * Returns W, the applied watermark: every version up to it is on the new store, as the runner
     * has published it; 0 for none.
     */
    public long applied() {
      return members.applied;
    }

    /** Returns the same state with another applied watermark. */
    public State withApplied(long applied) {
      return with(next -> next.applied = applied);
    }

    /** Returns which copy the migration fills; null before one is prepared. */
    public @Nullable Copy copy() {
      return members.copy;
    }

    /** Returns the same state for another copy, or for none. */
    public State withCopy(@Nullable Copy copy) {
      return with(next -> next.copy = copy);
    }

    /** Returns which life of the target's copy the migration fills, from 1. */
    public long incarnation() {
      return members.incarnation;
    }

    /** Returns the same state with another incarnation. */
    public State withIncarnation(long incarnation) {
      return with(next -> next.incarnation = incarnation);
    }

    /**
     * Returns to how many percent of the main keys the phase applies: of shadow writes in
     * shadow-write, of reads from the new store in new-read. Correctness does not depend on it.
     */
    public int ramp() {
      return members.ramp;
    }

    /**
     * Returns the same state with another ramp.
     *
     * @param percent 0 to 100
     * @throws KvException.InvalidArgument if it is none
     */
    public State withRamp(int percent) {
      if (percent < 0 || percent > ALL) {
        throw new KvException.InvalidArgument("a ramp of " + percent + " percent: give 0 to 100");
      }
      return with(next -> next.ramp = percent);
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
          + (members.sealed ? ", sealed" : "")
          + (members.fence == null ? "" : ", " + members.fence)
          + ")";
    }
  }

  /**
   * A fence, a record in the change log: no write is committed after it until it is lifted.
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
     * @param attempt the runner's unique name for this try
     * @param version F, drawn from the commit pipeline like any version
     * @param position its place in the change log
     * @param deadline when it lifts itself, by the leader's clock
     */
    public static Fence of(String attempt, long version, long position, Instant deadline) {
      return new Fence(attempt, version, position, deadline);
    }

    /** Returns the runner's unique name for this try. */
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

    /** Returns when the fence lifts itself, by the leader's clock. */
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
     * @param report what it last said of itself
     * @param use what it said of this collection
     * @param leaseEnds when its lease ends, by the leader's clock
     */
    public static Instance of(InstanceReport report, InstanceReport.Use use, Instant leaseEnds) {
      return new Instance(report, use, leaseEnds);
    }

    /** Returns its name, unique to the process. */
    public String name() {
      return report.instance();
    }

    /** Returns what it last said of itself. */
    public InstanceReport report() {
      return report;
    }

    /** Returns what it last said of this collection. */
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

  /** Reads the record. */
  CompletionStage<State> state();

  /**
   * Changes epoch, phase, acceptMin, copy, incarnation and ramp to those of {@code next}, if the
   * record's epoch and acceptMin are still those of {@code expected}. The other fields are the
   * leader's own; W begins at 0 again with another copy or incarnation.
   *
   * <p>Fails with {@code Permanent} where {@code next} is no step: epoch, acceptMin or incarnation
   * fall, acceptMin lies above the epoch, the phase changes without a higher epoch, to one that is
   * no neighbour, or to new-only, or the copy changes outside phase legacy; with {@code Transient}
   * while a fence stands; with {@code InstancesNotReady}, if it is a step up, while a live instance
   * cannot follow; with {@code StalePhase} once handed over.
   *
   * @return whether it was changed; an unknown outcome is resolved by reading the state
   */
  CompletionStage<Boolean> compareAndSet(State expected, State next);

  /**
   * Raises the fence. Writes then wait at the leader until it is lifted or moved. Asking again with
   * the same attempt gives the fence that stands. Fails with {@code Transient} where another
   * attempt's fence stands; with {@code Permanent} where this attempt's was lifted already, so that
   * a late request raises no fence; with {@code InstancesNotReady} while a live instance, not given
   * up, cannot follow into new-only; with {@code StalePhase} once handed over.
   */
  CompletionStage<Fence> fence(String attempt, FenceOptions options);

  /**
   * Lifts the attempt's fence, and ends the attempt: it raises none from now on. Succeeds where
   * none stands; fails with {@code StalePhase} once handed over.
   */
  CompletionStage<Void> lift(String attempt);

  /**
   * Hands the collection over: phase new-only, epoch and acceptMin raised, floor = F, for ever. One
   * compare-and-set on the attempt: fails with {@code Permanent} where its fence no longer stands,
   * with {@code InstancesNotReady} while a live instance, not given up at the fence, cannot follow.
   * Asking again after it succeeded gives the same state.
   */
  CompletionStage<State> move(String attempt);

  /**
   * Refuses every request from now on and hands the collection over on the dual-write way: phase
   * new-only, epoch and acceptMin raised, floor = the leader's last version. Fails with {@code
   * Permanent} where the epoch is another, or its phase is not new-primary, entered completely;
   * with {@code Transient} while a fence stands. Asking again with the same epoch gives the same
   * state.
   *
   * <p>A leader may hold its versions back for a moment before it seals. Services wait until their
   * clocks have passed the floor by the skew limit, which they then have already.
   */
  CompletionStage<State> seal(long epoch);

  /**
   * Gives a key's current row (value or tombstone) a new version above {@code atLeast} and logs it,
   * in one step. {@code Permanent} where {@code atLeast} lies more than 1 s ahead of the clock.
   */
  CompletionStage<Row> reassert(StoreKey key, long atLeast);

  /**
   * Publishes W, the applied watermark: every version up to it is on the new store. W never falls;
   * a lower one changes nothing. {@code Permanent} if the leader has not issued that version yet.
   */
  CompletionStage<Void> applied(long version);

  /**
   * Lists the instances whose lease may still hold, at most 10,000, and the clients that have used
   * the collection without a report in the last ten seconds. An instance is gone 1 s after its
   * lease has ended by the leader's clock. {@link Store#report} begins and renews leases.
   */
  CompletionStage<List<Instance>> instances();

  /**
   * Tells the listener each epoch that a reply of the leader shows to be newer than those before,
   * until the store is closed. May be told the same epoch twice. The listener must not block.
   */
  void listen(LongConsumer listener);

  /** How long an instance may go on without asking again. */
  Duration LEASE = Duration.ofSeconds(5);
}
