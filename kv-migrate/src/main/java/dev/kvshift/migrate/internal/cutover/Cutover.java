package dev.kvshift.migrate.internal.cutover;

import com.google.gson.JsonObject;
import dev.kvshift.api.KvException;
import dev.kvshift.migrate.api.CutoverReport;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.MigrationOptions;
import dev.kvshift.migrate.internal.apply.TopicProgress;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.stream.StreamWriter;
import dev.kvshift.migrate.internal.verify.TailCheck;
import dev.kvshift.migrate.internal.verify.Verifier;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Phase;
import java.time.Clock;
import java.time.Duration;
import java.util.UUID;
import java.util.function.Function;

/** Fence, drain, move, activate: the handing over, tried a few times. */
public final class Cutover {
  private static final int ATTEMPTS = 10;
  private static final long PAUSE_BETWEEN_MILLIS = 500;

  private final Gate gate;
  private final StreamWriter stream;
  private final TopicProgress applied;
  private final TailCheck tail;
  private final Ledger ledger;
  private final MigrationOptions options;
  private final Clock clock;
  private final Runnable alive;
  private final Runnable settle;
  private final Activation activation;

  /** Makes the target's record say who may write, and from which version on. */
  public interface Activation {
    void activate(long floor);

    long incarnation();
  }

  public Cutover(
      Gate gate,
      StreamWriter stream,
      TopicProgress applied,
      TailCheck tail,
      Ledger ledger,
      MigrationOptions options,
      Clock clock,
      Runnable alive,
      Runnable settle,
      Activation activation) {
    this.gate = gate;
    this.stream = stream;
    this.applied = applied;
    this.tail = tail;
    this.ledger = ledger;
    this.options = options;
    this.clock = clock;
    this.alive = alive;
    this.settle = settle;
    this.activation = activation;
  }

  /** What was done, and under which certificate. */
  public record Done(CutoverReport report, Certificate certificate) {}

  /** Hands over; {@code draft} makes the certificate as far as it can be before the fence. */
  public Done run(Function<Verifier.Findings, Certificate> draft) {
    liftOwn();
    for (int number = 1; ; number++) {
      settle.run();
      Certificate ready = draft.apply(tail.settle());
      ready.requireReadyForFence(clock.instant());
      String attempt = UUID.randomUUID().toString();
      try {
        return attempt(attempt, number, ready);
      } catch (NotDrained e) {
        lift(attempt, e.getMessage());
        if (number == ATTEMPTS) {
          throw new MigrationException.CutoverRefused(
              "the changes could not be drained within "
                  + options.pauseLimit().toMillis()
                  + " ms, "
                  + ATTEMPTS
                  + " times ("
                  + e.getMessage()
                  + "); the writers go on at the source: see to the broker and the target, and"
                  + " start the cutover again");
        }
        Await.pause(PAUSE_BETWEEN_MILLIS * number);
      } catch (RuntimeException e) {
        if (!isMoved()) {
          lift(attempt, String.valueOf(e.getMessage()));
        }
        throw e;
      }
    }
  }

  private static final class NotDrained extends RuntimeException {
    private static final long serialVersionUID = 1;

    NotDrained(String message) {
      super(message);
    }
  }

  private Done attempt(String attempt, int number, Certificate ready) {
    JsonObject record = new JsonObject();
    record.addProperty("attempt", attempt);
    record.addProperty("incarnation", activation.incarnation());
    ledger.put(Ledger.CUTOVER, record);
    ledger.event("fence", record.deepCopy());
    ledger.put(Ledger.CERTIFICATE, ready.print());

    long t0 = System.nanoTime();
    long end = t0 + options.pauseLimit().toNanos();
    Gate.Fence fence = Await.of(gate.fence(attempt, options.fenceLifetime()));
    long t1 = System.nanoTime();
    if (!applied.awaitMarkers(attempt, left(end), alive)) {
      throw new NotDrained(
          "fence at position "
              + fence.position()
              + ", streamed up to "
              + stream.position()
              + ", applied up to "
              + applied.position());
    }
    long t2 = System.nanoTime();
    if (!tail.passed().awaitMarkers(attempt, left(end), alive)) {
      throw new NotDrained(
          "applied, but read back up to position "
              + tail.passed().position()
              + " of "
              + fence.position()
              + " only");
    }
    Certificate complete = ready.with(fenceMembers(fence, tail.settle()));
    complete.requireComplete(clock.instant());
    ledger.replace(Ledger.CERTIFICATE, ready.print(), complete.print());
    long t3 = System.nanoTime();
    if (left(end).isZero()) {
      throw new NotDrained("read back, but too late");
    }
    Gate.State moved = move(attempt);
    long t4 = System.nanoTime();
    activation.activate(moved.floor());
    long t5 = System.nanoTime();
    CutoverReport report =
        new CutoverReport(
            attempt,
            number,
            moved.floor(),
            activation.incarnation(),
            Duration.ofNanos(t1 - t0),
            Duration.ofNanos(t2 - t1),
            Duration.ofNanos(t3 - t2),
            Duration.ofNanos(t4 - t3),
            Duration.ofNanos(t5 - t4));
    record.addProperty("floor", moved.floor());
    record.addProperty("pauseMillis", report.total().toMillis());
    ledger.put(Ledger.CUTOVER, record);
    ledger.event("moved", record.deepCopy());
    return new Done(report, complete);
  }

  private JsonObject fenceMembers(Gate.Fence fence, Verifier.Findings findings) {
    JsonObject stands = new JsonObject();
    stands.addProperty("attempt", fence.attempt());
    stands.addProperty("version", fence.version());
    stands.addProperty("position", fence.position());
    stands.addProperty("markers", applied.offsets().length);
    JsonObject checked = new JsonObject();
    checked.addProperty("position", fence.position());
    checked.addProperty("keysRead", tail.read());
    checked.addProperty("differences", findings.differences());
    JsonObject members = new JsonObject();
    members.add("fence", stands);
    members.add("tail", checked);
    members.addProperty("clock", clock.instant().toString());
    return members;
  }

  private Gate.State move(String attempt) {
    try {
      return Await.of(gate.move(attempt));
    } catch (KvException.Transient | KvException.UnknownOutcome e) {
      Gate.State state = Await.patiently(options.patience(), gate::state);
      if (state.phase() == Phase.NEW_ONLY || state.fence() != null) {
        return Await.of(gate.move(attempt));
      }
      throw new NotDrained("the fence was lifted before the move");
    } catch (KvException.Permanent e) {
      if (isMoved()) {
        throw e;
      }
      throw new NotDrained("the fence was lifted before the move");
    }
  }

  private boolean isMoved() {
    return Await.patiently(options.patience(), gate::state).phase() == Phase.NEW_ONLY;
  }

  /** Lifts a fence that an earlier runner has left. */
  private void liftOwn() {
    JsonObject record = ledger.get(Ledger.CUTOVER);
    Gate.Fence fence = Await.patiently(options.patience(), gate::state).fence();
    if (record != null
        && fence != null
        && fence.attempt().equals(record.get("attempt").getAsString())) {
      lift(fence.attempt(), "left by another runner");
    }
  }

  private void lift(String attempt, String why) {
    Await.patiently(options.patience(), () -> gate.lift(attempt));
    JsonObject details = new JsonObject();
    details.addProperty("attempt", attempt);
    details.addProperty("why", why);
    ledger.event("lifted", details);
  }

  private static Duration left(long end) {
    return Duration.ofNanos(Math.max(0, end - System.nanoTime()));
  }
}
