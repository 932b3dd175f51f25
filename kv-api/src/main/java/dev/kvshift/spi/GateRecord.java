package dev.kvshift.spi;

import dev.kvshift.api.KvException;
import dev.kvshift.spi.Gate.Fence;
import dev.kvshift.spi.Gate.State;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The state machine of a gate, for stores that hold one: the record that a leader makes durable,
 * and the only place that decides how it may change.
 *
 * <p>Each operation returns the record that follows, the same instance if nothing changes, or
 * throws the refusal that the caller is to see. A leader applies one operation at a time, makes its
 * result durable, and only then answers. The record does no I/O; what it asks of the instances'
 * leases, the caller's {@link InstanceRegistry} answers. Immutable.
 *
 * <p>The version ceiling of {@link #state()} is the leader's to fill in: it is not part of what the
 * operations decide on.
 */
public final class GateRecord {
  /** The shortest lifetime of a fence: 1 s. */
  public static final Duration MIN_FENCE = Duration.ofSeconds(1);

  /** The longest lifetime of a fence: 60 s. */
  public static final Duration MAX_FENCE = Duration.ofSeconds(60);

  /** Maximum length of the name of an attempt or an instance, in characters. */
  public static final int MAX_NAME_CHARS = 256;

  /** Maximum number of instances that may be registered with one gate. */
  public static final int MAX_INSTANCES = 10_000;

  /**
   * Maximum number of ended attempts that are remembered, so that a late request raises no fence
   * for them.
   */
  public static final int MAX_ENDED_ATTEMPTS = 64;

  private static final GateRecord FIRST = new GateRecord(State.first(), null, List.of());

  private final State state;
  private final @Nullable String movedBy;
  private final List<String> ended;

  private GateRecord(State state, @Nullable String movedBy, List<String> ended) {
    this.state = state;
    this.movedBy = movedBy;
    this.ended = ended;
  }

  /** Returns the record of a collection that no migration has touched. */
  public static GateRecord first() {
    return FIRST;
  }

  /**
   * Returns the record that a leader has kept.
   *
   * @param state what {@link #state()} returned
   * @param movedBy what {@link #movedBy()} returned
   * @param ended what {@link #ended()} returned
   */
  public static GateRecord of(State state, @Nullable String movedBy, List<String> ended) {
    return new GateRecord(state, movedBy, List.copyOf(ended));
  }

  /** Returns the state of the gate. */
  public State state() {
    return state;
  }

  /** Returns the attempt that has handed the collection over; null if none has. */
  public @Nullable String movedBy() {
    return movedBy;
  }

  /** Returns the attempts whose fences were lifted last, the oldest first. */
  public List<String> ended() {
    return ended;
  }

  /** Returns whether the collection has been handed over to the new store, which is for ever. */
  public boolean isHandedOver() {
    return state.phase() == Phase.NEW_ONLY;
  }

  /**
   * Admits a read.
   *
   * @throws StalePhase if the caller's epoch is no longer served, or the gate is sealed
   */
  public void admitRead(String collection, long callerEpoch) {
    if (callerEpoch != Call.UNGATED) {
      admit(collection, callerEpoch);
    }
  }

  private void admit(String collection, long callerEpoch) {
    if (callerEpoch < state.acceptMin() || state.sealed()) {
      throw stale(collection);
    }
  }

  /**
   * Admits a write.
   *
   * @throws StalePhase if the caller's epoch is no longer served, or the collection has been handed
   *     over: then the leader takes no write, whatever its epoch
   */
  public void admitWrite(String collection, long callerEpoch) {
    admit(collection, callerEpoch);
    if (isHandedOver()) {
      throw stale(collection);
    }
  }

  /**
   * Admits a write of a row.
   *
   * @param isVersioned whether it brings its version, as every write must in clock order
   * @throws StalePhase as the other method, and if the leader would have to draw a version in clock
   *     order
   */
  public void admitWrite(String collection, long callerEpoch, boolean isVersioned) {
    admitWrite(collection, callerEpoch);
    if (state.isClockOrdered() && !isVersioned) {
      throw stale(collection);
    }
  }

  /**
   * Returns whether the leader draws the versions of the collection: it has handed it neither to
   * the new store nor to the clocks.
   */
  public boolean isLed() {
    return state.isLed();
  }

  /** Returns the refusal of a request of an older epoch. */
  public StalePhase stale(String collection) {
    return new StalePhase(collection, state.epoch(), state.phase(), state.floor(), state.copy())
        .withClockOrder(state.isClockOrdered());
  }

  /**
   * Decides {@link Gate#compareAndSet}.
   *
   * @return the record after the step; null if this is not the record that the caller expected
   */
  public @Nullable GateRecord stepped(
      String collection, State expected, State next, InstanceRegistry instances) {
    if (expected.epoch() != state.epoch() || expected.acceptMin() != state.acceptMin()) {
      return null;
    }
    requireOpen(collection);
    requireNoFence(collection, "its gate was not changed");
    if (state.isClockOrdered()) {
      return ledAgain(collection, next);
    }
    boolean step = next.phase() != state.phase();
    if (next.epoch() < state.epoch()
        || (step && next.epoch() == state.epoch())
        || next.acceptMin() < state.acceptMin()
        || next.acceptMin() > next.epoch()
        || next.incarnation() < state.incarnation()
        || !next.phase().isStepFrom(state.phase())) {
      throw new KvException.Permanent(
          "collection "
              + collection
              + ": its gate cannot go from "
              + state
              + " to "
              + next
              + ": go to a neighbouring phase with a higher epoch; acceptMin and incarnation never"
              + " fall, and acceptMin never exceeds the epoch");
    }
    if (!Objects.equals(next.copy(), state.copy()) && state.phase() != Phase.LEGACY) {
      throw new KvException.Permanent(
          "collection "
              + collection
              + " is being moved to copy "
              + state.copy()
              + ", not "
              + next.copy()
              + ": go back to phase legacy before another copy is filled");
    }
    if (next.phase() == Phase.NEW_ONLY) {
      throw new KvException.Permanent(
          "collection " + collection + " enters new-only by a move or a seal: use one of them");
    }
    if (next.phase().compareTo(state.phase()) > 0) {
      instances.requireReady(next.phase(), next.copy(), Set.of());
    }
    boolean isSameLife =
        Objects.equals(next.copy(), state.copy()) && next.incarnation() == state.incarnation();
    return new GateRecord(
        state
            .withApplied(isSameLife ? state.applied() : 0)
            .withRamp(next.ramp())
            .withWayBack(next.keepsWayBack())
            .withEpoch(next.epoch())
            .withPhase(next.phase())
            .withAcceptMin(next.acceptMin())
            .withIncarnation(next.incarnation())
            .withCopy(next.copy()),
        movedBy,
        ended);
  }

  /** Returns the record of a leader that leads again after a move: protocol, 12. */
  private GateRecord ledAgain(String collection, State next) {
    if (next.isClockOrdered()
        || next.phase() != Phase.LEGACY
        || next.epoch() <= state.epoch()
        || next.acceptMin() != next.epoch()
        || next.incarnation() <= state.incarnation()) {
      throw new KvException.Permanent(
          "collection "
              + collection
              + " is ordered by clocks, and its gate cannot go from "
              + state
              + " to "
              + next
              + ": its phases are in the new store's metadata; here it can only go back to legacy,"
              + " with a higher incarnation and a higher epoch, which alone is accepted");
    }
    return new GateRecord(
        next.withFence(null).withSealed(false).withFloor(0).withApplied(0).withVersionCeiling(0),
        null,
        movedBy == null ? ended : ended(movedBy));
  }

  /**
   * Decides whether an attempt may raise a fence.
   *
   * @return the attempt's fence, if it is raised already; null if the leader is to append one to
   *     its change log and to continue with {@link #fenced}
   */
  public @Nullable Fence fenceFor(
      String collection, String attempt, FenceOptions options, InstanceRegistry instances) {
    requireName("attempt", attempt);
    Duration lifetime = options.lifetime();
    if (lifetime.compareTo(MIN_FENCE) < 0 || lifetime.compareTo(MAX_FENCE) > 0) {
      throw new KvException.Permanent(
          "the lifetime of a fence is " + lifetime + ": give 1 s to 60 s");
    }
    requireLed(collection);
    Fence standing = state.fence();
    if (standing != null && !standing.attempt().equals(attempt)) {
      throw new KvException.Transient(
          "collection "
              + collection
              + " is fenced by attempt "
              + standing.attempt()
              + ": wait until its fence is lifted, at "
              + standing.deadline()
              + " at the latest");
    }
    if (ended.contains(attempt)) {
      throw new KvException.Permanent(
          "the fence of attempt " + attempt + " was lifted: begin another attempt");
    }
    if (standing == null) {
      requireReady(instances, options.givenUp());
    }
    return standing;
  }

  /** Returns the record with a fence that {@link #fenceFor} has allowed. */
  public GateRecord fenced(Fence fence) {
    return new GateRecord(state.withFence(fence), movedBy, ended);
  }

  /**
   * Decides {@link Gate#lift}: the attempt's fence is lifted, and the attempt raises no other. If
   * {@link #state()} of this record has the attempt's fence, the leader logs the lift too.
   */
  public GateRecord lifted(String collection, String attempt) {
    requireLed(collection);
    if (ended.contains(attempt)) {
      return this;
    }
    return new GateRecord(
        hasFenceOf(attempt) ? state.withFence(null) : state, movedBy, ended(attempt));
  }

  private List<String> ended(String attempt) {
    List<String> attempts = new ArrayList<>(ended);
    attempts.add(attempt);
    return List.copyOf(
        attempts.subList(Math.max(0, attempts.size() - MAX_ENDED_ATTEMPTS), attempts.size()));
  }

  /** Returns whether the attempt's fence is raised. */
  public boolean hasFenceOf(String attempt) {
    Fence fence = state.fence();
    return fence != null && fence.attempt().equals(attempt);
  }

  /**
   * Decides {@link Gate#move}. Returns the same instance if the attempt has moved it already.
   *
   * @param givenUp the services that were given up when the fence was raised
   */
  public GateRecord moved(
      String collection, String attempt, InstanceRegistry instances, Set<String> givenUp) {
    if (attempt.equals(movedBy)) {
      return this;
    }
    requireLed(collection);
    Fence fence = state.fence();
    if (fence == null || !fence.attempt().equals(attempt)) {
      throw new KvException.Permanent(
          "collection "
              + collection
              + ": the fence of attempt "
              + attempt
              + " is no longer raised, and nothing was moved: begin another attempt");
    }
    requireReady(instances, givenUp);
    return new GateRecord(
        state.keepsWayBack() ? handedToClocks(fence.version()) : handedOver(fence.version()),
        attempt,
        ended);
  }

  /**
   * Returns the record with a higher floor, for a lock space that was just moved: a holder may have
   * drawn versions since the fence was raised.
   *
   * @param lastVersion the last version that the leader has issued
   */
  public GateRecord withFloorAbove(long lastVersion) {
    return lastVersion <= state.floor()
        ? this
        : new GateRecord(state.withFloor(lastVersion), movedBy, ended);
  }

  /**
   * Decides {@link Gate#seal}. Returns the same instance if it was sealed from that epoch already.
   *
   * @param lastVersion the last version that the leader has issued
   */
  public GateRecord sealed(
      String collection, long epoch, long lastVersion, InstanceRegistry instances) {
    if ((state.sealed() || state.isClockOrdered()) && state.epoch() == epoch + 1) {
      return this;
    }
    requireOpen(collection);
    if (epoch != state.epoch()) {
      throw new KvException.Permanent(
          "collection "
              + collection
              + " is in epoch "
              + state.epoch()
              + ", not "
              + epoch
              + ", and was not sealed: read its state again");
    }
    requireNoFence(collection, "it was not sealed");
    if (state.phase() != Phase.NEW_PRIMARY || state.acceptMin() != epoch) {
      throw new KvException.Permanent(
          "collection "
              + collection
              + " is in phase "
              + state.phase()
              + (state.acceptMin() == epoch ? "" : ", whose step is not complete,")
              + " and was not sealed: complete the step into new-primary first");
    }
    if (state.isClockOrdered()) { // its instances have left for the gate in the new store
      return new GateRecord(handedOver(state.floor()).withSealed(true), movedBy, ended);
    }
    requireReady(instances, Set.of());
    return new GateRecord(
        state.keepsWayBack()
            ? handedToClocks(lastVersion)
            : handedOver(lastVersion).withSealed(true),
        null,
        ended);
  }

  /** Refuses a move while a live instance cannot follow it. */
  private void requireReady(InstanceRegistry instances, Set<String> givenUp) {
    instances.requireReady(Phase.NEW_ONLY, state.copy(), givenUp);
    if (state.keepsWayBack() && state.copy() != null) {
      instances.requireWayBack(givenUp);
    }
  }

  /**
   * Decides {@link Gate#applied}. Returns the same instance if W is not above the known one.
   *
   * @param lastVersion the last version that the leader has issued
   */
  public GateRecord applied(String collection, long version, long lastVersion) {
    if (version > lastVersion) {
      throw new KvException.Permanent(
          "collection "
              + collection
              + " cannot be applied up to version "
              + version
              + ": the last that was issued is "
              + lastVersion
              + "; is this the source that was copied?");
    }
    return version <= state.applied()
        ? this
        : new GateRecord(state.withApplied(version), movedBy, ended);
  }

  /**
   * Checks the name of an attempt or an instance.
   *
   * @throws KvException.Permanent if it has no or too many characters
   */
  public static void requireName(String what, String name) {
    if (name.isEmpty() || name.length() > MAX_NAME_CHARS) {
      throw new KvException.Permanent(
          "the name of an "
              + what
              + " has "
              + name.length()
              + " characters: give 1 to "
              + MAX_NAME_CHARS);
    }
  }

  private State handedOver(long floor) {
    return moved(Phase.NEW_ONLY, floor).withWayBack(false).withClockOrder(false);
  }

  private State handedToClocks(long floor) {
    return moved(Phase.NEW_PRIMARY, floor).withClockOrder(true);
  }

  private State moved(Phase into, long floor) {
    return state
        .withEpoch(state.epoch() + 1)
        .withAcceptMin(state.epoch() + 1)
        .withPhase(into)
        .withFloor(floor)
        .withFence(null);
  }

  private void requireOpen(String collection) {
    if (isHandedOver()) {
      throw stale(collection);
    }
  }

  private void requireLed(String collection) {
    if (!isLed()) {
      throw stale(collection);
    }
  }

  private void requireNoFence(String collection, String consequence) {
    Fence fence = state.fence();
    if (fence != null) {
      throw new KvException.Transient(
          "collection "
              + collection
              + " is fenced by attempt "
              + fence.attempt()
              + ", and "
              + consequence
              + ": lift the fence first");
    }
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof GateRecord that
        && state.equals(that.state)
        && Objects.equals(movedBy, that.movedBy)
        && ended.equals(that.ended);
  }

  @Override
  public int hashCode() {
    return Objects.hash(state, movedBy, ended);
  }

  @Override
  public String toString() {
    return state + (movedBy == null ? "" : ", moved by " + movedBy);
  }
}
