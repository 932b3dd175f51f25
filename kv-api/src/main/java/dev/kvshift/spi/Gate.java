package dev.kvshift.spi;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletionStage;
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
   * The gate's record.
   *
   * @param epoch rises at every step, backwards too; 0 before the first
   * @param phase the collection's phase
   * @param acceptMin the lowest epoch that is served
   * @param fence the fence that stands, or null
   * @param sealed whether every request is refused, on the dual-write way into new-only
   * @param floor the version above which the new store's own versions begin; 0 before new-only
   * @param versionCeiling no version above it has been issued, µs
   * @param incarnation which life of the target's copy the migration fills
   */
  record State(
      long epoch,
      Phase phase,
      long acceptMin,
      @Nullable Fence fence,
      boolean sealed,
      long floor,
      long versionCeiling,
      long incarnation) {}

  /**
   * A fence, a record in the change log: no write is committed after it until it is lifted.
   *
   * @param attempt the runner's unique name for this try
   * @param version F, drawn from the commit pipeline like any version
   * @param position its place in the change log
   * @param deadline when it lifts itself, by the leader's clock
   */
  record Fence(String attempt, long version, long position, Instant deadline) {}

  /**
   * A registered instance, as the leader knows it.
   *
   * @param name unique to the process
   * @param acknowledged the epoch of which all older operations have ended
   * @param leaseEnds when its lease ends, by the leader's clock
   */
  record Instance(String name, long acknowledged, Instant leaseEnds) {}

  /** Reads the record. */
  CompletionStage<State> state();

  /**
   * Changes epoch, phase, acceptMin and incarnation to those of {@code next}, where the record's
   * epoch and acceptMin are still those of {@code expected}. The other fields are the leader's own.
   *
   * <p>Fails with {@code Permanent} where {@code next} is no step: epoch, acceptMin or incarnation
   * fall, acceptMin lies above the epoch, the phase changes without a higher epoch, to one that is
   * no neighbour, or to new-only; with {@code Transient} while a fence stands; with {@code
   * StalePhase} once handed over.
   *
   * @return whether it was changed; an unknown outcome is resolved by reading the state
   */
  CompletionStage<Boolean> compareAndSet(State expected, State next);

  /**
   * Raises the fence. Writes then wait at the leader until it is lifted or moved. Asking again with
   * the same attempt gives the fence that stands. Fails with {@code Transient} where another
   * attempt's fence stands; with {@code Permanent} where this attempt's was lifted already, so that
   * a late request raises no fence; with {@code StalePhase} once handed over.
   *
   * @param lifetime how long until it lifts itself, 1 to 60 s
   */
  CompletionStage<Fence> fence(String attempt, Duration lifetime);

  /**
   * Lifts the attempt's fence, and ends the attempt: it raises none from now on. Succeeds where
   * none stands; fails with {@code StalePhase} once handed over.
   */
  CompletionStage<Void> lift(String attempt);

  /**
   * Hands the collection over: phase new-only, epoch and acceptMin raised, floor = F, for ever. One
   * compare-and-set on the attempt: fails with {@code Permanent} where its fence no longer stands.
   * Asking again after it succeeded gives the same state.
   */
  CompletionStage<State> move(String attempt);

  /**
   * Refuses every request from now on and hands the collection over on the dual-write way: phase
   * new-only, epoch and acceptMin raised, floor = the leader's last version. Fails with {@code
   * Permanent} where the epoch is another, with {@code Transient} while a fence stands. Asking
   * again with the same epoch gives the same state.
   */
  CompletionStage<State> seal(long epoch);

  /**
   * Gives a key's current row (value or tombstone) a new version above {@code atLeast} and logs it,
   * in one step. {@code Permanent} where {@code atLeast} lies more than 1 s ahead of the clock.
   */
  CompletionStage<Row> reassert(StoreKey key, long atLeast);

  /**
   * Registers an instance or renews its lease, and tells which epoch it has acknowledged. The
   * answer is the current record, and begins a lease of {@link #LEASE}.
   */
  CompletionStage<State> register(String instance, long acknowledged);

  /**
   * Lists the instances whose lease may still hold, at most 10,000: one is gone 1 s after its lease
   * has ended by the leader's clock.
   */
  CompletionStage<List<Instance>> instances();

  /** How long an instance may go on without asking again. */
  Duration LEASE = Duration.ofSeconds(5);
}
