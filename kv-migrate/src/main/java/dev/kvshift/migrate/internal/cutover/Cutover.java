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
import dev.kvshift.spi.Store;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
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
 * <p><b>Groups.</b> Collections of a group are fenced, drained and checked side by side, and then
 * moved by one compare-and-set at the leader: all of them or none. Whatever ends an attempt lifts
 * the fences of all. One member that was moved alone would leave services that use several of them
 * with half of their data on each store. For the same reason all of them keep a way back, or none.
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

  private final List<Member> members;
  private final @Nullable Store group;

  /**
   * A collection that is about to be ready.
   *
   * @param context the collection's sides, limits and clocks
   * @param ledger its durable state
   * @param readiness the conditions of its move
   * @param handOver what follows its move
   */
  public record Member(RunContext context, Ledger ledger, Readiness readiness, HandOver handOver) {
    private Gate gate() {
      return context.source().gate();
    }

    private MigrationOptions options() {
      return context.options();
    }

    private ChangePipeline pipeline() {
      return readiness.pipeline();
    }

    private TailCheck tail() {
      return readiness.tail();
    }
  }

  private Cutover(List<Member> members, @Nullable Store group) {
    this.members = List.copyOf(members);
    this.group = group;
  }

  /** Returns the cutover of one collection. */
  public static Cutover of(Member member) {
    return new Cutover(List.of(member), null);
  }

  /** Returns the cutover of several collections of one source: all are moved, or none. */
  public static Cutover ofGroup(Store source, List<Member> members) {
    return new Cutover(members, source);
  }

  /**
   * Moves the collections.
   *
   * @return the reports, in the order of the members
   * @throws MigrationException.CutoverRefused if a certificate is not complete, or no attempt
   *     drained in time
   * @throws MigrationException.Mismatch if a tail check has found differences
   */
  public List<CutoverReport> run() {
    for (int number = 1; ; number++) {
      Attempt attempt = new Attempt(number, UUID.randomUUID().toString());
      try {
        for (Member member : members) {
          awaitNoFence(member);
          member.readiness.awaitInstances(member.options().givenUp());
        }
        for (Member member : members) {
          attempt.ready.put(member, member.readiness.certifyStop());
        }
        return attempt(attempt);
      } catch (InstancesNotReady e) {
        lift(attempt, e);
        if (number == MAX_ATTEMPTS) {
          throw members.get(0).readiness.notReady(e.getMessage());
        }
        Await.pause(PAUSE_BETWEEN_MILLIS * number);
      } catch (NotDrained e) {
        lift(attempt, e);
        if (number == MAX_ATTEMPTS) {
          throw new MigrationException.CutoverRefused(
              "the changes could not be drained within "
                  + pauseLimit().toMillis()
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

  private Duration pauseLimit() {
    return members.stream()
        .map(member -> member.options().pauseLimit())
        .min(Comparator.naturalOrder())
        .orElseThrow();
  }

  /** One attempt, whose name all members share. */
  private static final class Attempt {
    private final int number;
    private final String name;
    private final Map<Member, Certificate> ready = new LinkedHashMap<>();
    private boolean isFencing;

    Attempt(int number, String name) {
      this.number = number;
      this.name = name;
    }
  }

  private static final class NotDrained extends RuntimeException {
    private static final long serialVersionUID = 1;

    NotDrained(String message) {
      super(message);
    }
  }

  /** A collection inside the fence. */
  private record Fenced(
      Member member,
      CutoverRecord record,
      @Nullable Certificate former,
      IdentityCheck.Sides sides,
      Gate.Fence fence,
      Certificate.Requested requested) {}

  private List<CutoverReport> attempt(Attempt attempt) {
    Map<Member, CutoverRecord> records = new LinkedHashMap<>();
    Map<Member, Optional<Certificate>> formers = new LinkedHashMap<>();
    Map<Member, IdentityCheck.Sides> sides = new LinkedHashMap<>();
    for (Member member : members) {
      CutoverRecord record = member.handOver.begin(attempt.name);
      member.ledger.append(Event.fencing(record));
      records.put(member, record);
      formers.put(member, Optional.ofNullable(member.ledger.get(Certificate.KEY)));
      sides.put(member, member.readiness.identity().sides());
    }

    Stopwatch stopwatch = new Stopwatch();
    long end = System.nanoTime() + pauseLimit().toNanos();
    attempt.isFencing = true;
    Instant sent = members.get(0).context.clock().instant();
    Map<Member, CompletionStage<Gate.Fence>> fences = new LinkedHashMap<>();
    members.forEach(
        member -> fences.put(member, member.gate().fence(attempt.name, fenceOptions(member))));
    List<Fenced> fenced = new ArrayList<>();
    for (Member member : members) {
      Gate.Fence fence = Await.of(fences.get(member));
      fenced.add(
          new Fenced(
              member,
              records.get(member),
              formers.get(member).orElse(null),
              sides.get(member),
              fence,
              new Certificate.Requested(sent, member.context.clock().instant())));
    }
    Duration untilFenced = stopwatch.lap();
    requireOneEnd();
    fenced.forEach(each -> each.sides.ask());
    fenced.forEach(each -> drain(each.member, each.fence, end));
    Duration drained = stopwatch.lap();
    for (Fenced each : fenced) {
      Certificate ready = attempt.ready.get(each.member);
      Certificate complete = checkTail(each.member, each.fence, each.requested, ready, end);
      each.sides.require();
      each.member.ledger.replace(Certificate.KEY, each.former, complete);
    }
    if (left(end).isZero()) {
      throw new NotDrained("verified, but too late");
    }
    Duration tailChecked = stopwatch.lap();
    Map<Member, Gate.State> states = move(attempt.name);
    WritePause pause = new WritePause(untilFenced, drained, tailChecked, stopwatch.lap());
    List<CutoverReport> reports = new ArrayList<>();
    for (Fenced each : fenced) {
      Gate.State moved = states.get(each.member);
      reports.add(each.member.handOver.complete(each.record, attempt.number, moved, pause));
    }
    return reports;
  }

  /** Inside the fence, in which no gate can change any more. */
  private void requireOneEnd() {
    if (group != null
        && members.stream()
                .map(member -> member.context.await(member.gate()::state).keepsWayBack())
                .distinct()
                .count()
            > 1) {
      throw new MigrationException.CutoverRefused(
          "nothing was moved: of the group's collections some would keep a way back and others not;"
              + " another cutover has just changed that, so start the cutover again");
    }
  }

  private static FenceOptions fenceOptions(Member member) {
    return FenceOptions.lasting(member.options().fenceLifetime())
        .givingUp(member.options().givenUp());
  }

  private static void drain(Member member, Gate.Fence fence, long end) {
    ChangePipeline pipeline = member.pipeline();
    if (!pipeline.applied().awaitMarkers(fence.attempt(), left(end), member.readiness::check)) {
      throw new NotDrained(
          "fence at position "
              + fence.position()
              + ", streamed up to "
              + pipeline.streamedPosition()
              + ", applied up to "
              + pipeline.applied().position());
    }
  }

  private static Certificate checkTail(
      Member member,
      Gate.Fence fence,
      Certificate.Requested requested,
      Certificate ready,
      long end) {
    RunContext context = member.context;
    TailCheck tail = member.tail();
    int quarantined = member.readiness.quarantined(); // read while the tail is still checked
    if (!tail.checked().awaitMarkers(fence.attempt(), left(end), member.readiness::check)) {
      throw new NotDrained(
          "applied, but verified up to position "
              + tail.checked().position()
              + " of "
              + fence.position()
              + " only");
    }
    long differences = tail.settle().differences();
    Certificate complete =
        ready
            .withLosses(member.readiness.losses())
            .with(
                new Certificate.FenceCheck(
                    fence.attempt(),
                    fence.version(),
                    fence.position(),
                    member.pipeline().applied().offsets().size(),
                    new Certificate.Tail(tail.keysRead(), differences),
                    requested,
                    context.clock().instant()),
                quarantined);
    complete.requireComplete(context.clock().instant());
    return complete;
  }

  /** Moves all members, and returns their states. */
  private Map<Member, Gate.State> move(String attempt) {
    try {
      return moveOnce(attempt);
    } catch (KvException.Transient | KvException.UnknownOutcome e) {
      if (mayBeMoved(attempt)) {
        return moveOnce(attempt);
      }
      throw new NotDrained("the fence was lifted before the move");
    } catch (KvException.Permanent e) {
      if (mayBeMoved(attempt)) {
        throw e;
      }
      throw new NotDrained("the fence was lifted before the move");
    }
  }

  private Map<Member, Gate.State> moveOnce(String attempt) {
    Map<Member, Gate.State> states = new LinkedHashMap<>();
    if (group == null) {
      Member only = members.get(0);
      states.put(only, Await.of(only.gate().move(attempt)));
      return states;
    }
    Map<String, String> attempts = new LinkedHashMap<>();
    members.forEach(member -> attempts.put(member.context.collection(), attempt));
    Map<String, Gate.State> moved = Await.of(group.moveAll(attempts));
    members.forEach(member -> states.put(member, moved.get(member.context.collection())));
    return states;
  }

  /** Returns whether the members are moved, which they are together, or can be moved still. */
  private boolean mayBeMoved(String attempt) {
    List<Gate.State> states =
        members.stream().map(member -> member.context.await(member.gate()::state)).toList();
    return states.stream().anyMatch(state -> !state.isLed())
        || states.stream().allMatch(state -> isFencedBy(attempt, state));
  }

  private static boolean isFencedBy(String attempt, Gate.State state) {
    return state.fence() != null && state.fence().attempt().equals(attempt);
  }

  /**
   * Waits until no fence is in place. One that is there was raised by another runner, which may be
   * alive; the leader lifts it at its deadline.
   */
  private static void awaitNoFence(Member member) {
    RunContext context = member.context;
    Gate gate = member.gate();
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
      member.readiness.check();
      Await.pause(Math.min(Await.pauseMillis(attempt), LONGEST_FENCE_PAUSE_MILLIS));
      state = context.await(gate::state);
    }
    if (!state.isLed()) {
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
   * Lifts the fences of an own attempt unless the attempt has moved the collections, which the gate
   * decides. Is not kept from it by an interrupt, which stays set.
   */
  private void lift(Attempt attempt, Throwable why) {
    boolean isInterrupted = Thread.interrupted();
    try {
      RuntimeException failed = null;
      for (Member member : attempt.isFencing ? members : List.<Member>of()) {
        try {
          lift(member, attempt.name, why);
        } catch (RuntimeException e) {
          failed = e;
        }
      }
      if (failed != null) {
        throw failed;
      }
    } finally {
      if (isInterrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static void lift(Member member, String attempt, Throwable why) {
    try {
      member.context.await(() -> member.gate().lift(attempt));
      member.ledger.append(Event.lifted(attempt, String.valueOf(why.getMessage())));
    } catch (StalePhase e) {
      LOG.debug("attempt {} ended after the collection had moved", attempt, e);
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
