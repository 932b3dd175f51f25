package dev.kvshift.transition.model;

import static dev.kvshift.transition.model.VersionRule.ABOVE_DRAWN;
import static dev.kvshift.transition.model.VersionRule.ABOVE_READ;
import static dev.kvshift.transition.model.VersionRule.CORRECTED;
import static dev.kvshift.transition.model.VersionRule.DRIFT_COUNTED;
import static dev.kvshift.transition.model.VersionRule.FAILURE_IS_NONE;
import static dev.kvshift.transition.model.VersionRule.FLOOR_WAITED;
import static dev.kvshift.transition.model.VersionRule.LIMIT_REFUSES;
import static dev.kvshift.transition.model.VersionRule.MOST_SERVERS;
import static dev.kvshift.transition.model.VersionRule.ROUND_TRIP_COUNTED;
import static dev.kvshift.transition.model.VersionRule.STEP_MEASURED;
import static dev.kvshift.transition.model.VersionRule.STEP_SINCE_SENT;
import static dev.kvshift.transition.model.VersionRule.WORST_SERVER;

import dev.kvshift.transition.model.VersionState.Measured;
import dev.kvshift.transition.model.VersionState.Write;
import dev.kvshift.transition.model.VersionState.Writer;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Two processes in new-only that draw versions from their own clocks, corrected by what they have
 * measured of the target's. L has issued its last version, the floor, and its clock may have been
 * ahead. Time passes in ticks. A process may take each of its steps any number of ticks later, and
 * a server's answer may be late on its way there or back. A write is begun, drawn and acknowledged
 * in one step: the properties ask less of one that takes longer.
 *
 * <p>Properties:
 *
 * <ul>
 *   <li>A write of new-only has a version above the floor, so that none of L's wins over it.
 *   <li>A version is above all that its process has drawn or read before.
 *   <li>A write that begins longer after another one's acknowledgement than 2 ε has the higher
 *       version. ε is the largest uncertainty that a process had when it drew a version, and never
 *       above the limit.
 * </ul>
 *
 * <p>The monotonic clock of a process may drift, and stops while its machine is suspended. Its wall
 * clock goes on, and may be set.
 */
final class VersionModel implements Model<VersionState> {
  /** Versions to half a tick, so that those drawn one above another stay below the next. */
  private static final int HALF_TICK = 4;

  /** L's last version, in ticks. */
  private static final int FLOOR = 1;

  /** How far the clocks of the processes are ahead at the beginning. */
  private static final int[] AHEAD = {2, -1};

  /** A clock gains or loses at most one tick in so many. */
  private static final int DRIFT_TICKS = 3;

  private static final int SUSPENDED_TICKS = 2;
  private static final int STEP_TICKS = 3;

  private final VersionScope scope;
  private final Set<VersionRule> off;

  /**
   * @param off the rules to leave out
   */
  VersionModel(VersionScope scope, Set<VersionRule> off) {
    this.scope = scope;
    this.off = off;
  }

  private boolean on(VersionRule rule) {
    return !off.contains(rule);
  }

  @Override
  public VersionState initial() {
    VersionState state = new VersionState(AHEAD.length);
    for (int i = 0; i < AHEAD.length; i++) {
      state.writers[i].monotonic = AHEAD[i];
    }
    return state;
  }

  @Override
  public VersionState copy(VersionState state) {
    return state.copy();
  }

  @Override
  public void write(VersionState state, ByteBuffer out) {
    state.write(out);
  }

  @Override
  public Optional<String> violation(VersionState state) {
    return Optional.ofNullable(state.violation);
  }

  @Override
  public void steps(VersionState s, Steps<VersionState> steps) {
    time(s, steps);
    for (int i = 0; i < s.writers.length; i++) {
      clocks(s, i, steps);
      measurement(s, i, steps);
      operations(s, i, steps);
    }
  }

  private void time(VersionState s, Steps<VersionState> steps) {
    if (s.now >= scope.ticks()) {
      return;
    }
    steps.add("a tick", t -> t.now++);
    if (!scope.drifting() || s.now % DRIFT_TICKS != 0) {
      return;
    }
    for (int[] gained : new int[][] {{1, 0}, {-1, 0}, {0, 1}, {0, -1}, {1, -1}, {-1, 1}}) {
      steps.add(
          "a tick, A's clock gains " + gained[0] + ", B's " + gained[1],
          t -> {
            t.now++;
            t.writers[0].monotonic += gained[0];
            t.writers[1].monotonic += gained[1];
          });
    }
  }

  private void clocks(VersionState s, int i, Steps<VersionState> steps) {
    if (s.suspensions < scope.suspensions() && s.now + SUSPENDED_TICKS <= scope.ticks()) {
      steps.add(
          name(i) + " is suspended for " + SUSPENDED_TICKS + " ticks",
          t -> {
            t.suspensions++;
            t.now += SUSPENDED_TICKS;
            t.writers[i].monotonic -= SUSPENDED_TICKS;
            t.writers[i].gap += SUSPENDED_TICKS;
          });
    }
    if (s.steps < scope.steps()) {
      steps.add(
          name(i) + "'s wall clock is set " + STEP_TICKS + " ticks ahead",
          t -> {
            t.steps++;
            t.writers[i].gap += STEP_TICKS;
          });
    }
  }

  private void measurement(VersionState s, int i, Steps<VersionState> steps) {
    Writer writer = s.writers[i];
    Measured asked = writer.asked;
    int monotonic = s.now + writer.monotonic;
    if (asked == null) {
      if (writer.measurements < scope.measurements()) {
        steps.add(
            name(i) + " asks the servers for their time",
            t -> {
              t.writers[i].measurements++;
              t.writers[i].asked = new Measured(monotonic, writer.gap, 0, 0);
            });
      }
      return;
    }
    for (int server = 0; server < scope.servers().size(); server++) {
      int bit = 1 << server;
      int time = s.now + scope.servers().get(server);
      if ((writer.answered & bit) == 0) {
        steps.add(
            "server " + server + " reads " + time + " for " + name(i),
            t -> answer(t.writers[i], bit, time));
      }
    }
    int answers = Integer.bitCount(writer.answered);
    if (on(MOST_SERVERS) ? 2 * answers > scope.servers().size() : answers > 0) {
      Measured found = found(writer, asked, monotonic);
      steps.add(
          name(i)
              + " gets "
              + answers
              + " answers: ahead by "
              + found.low()
              + " to "
              + found.high(),
          t -> end(t.writers[i], found));
    }
    if (s.failures < scope.failures()) {
      Measured nothing = new Measured(asked.monotonic(), asked.gap(), 0, 0);
      steps.add(
          name(i) + "'s measurement fails",
          t -> {
            t.failures++;
            end(t.writers[i], on(FAILURE_IS_NONE) ? writer.measured : nothing);
          });
    }
  }

  private void answer(Writer writer, int bit, int time) {
    boolean isFirst = writer.answered == 0;
    writer.answered |= bit;
    if (isFirst || on(WORST_SERVER)) {
      writer.earliest = isFirst ? time : Math.min(writer.earliest, time);
      writer.latest = isFirst ? time : Math.max(writer.latest, time);
    }
  }

  /** A server has read its clock at some moment since the request was sent. */
  private Measured found(Writer writer, Measured asked, int monotonic) {
    int low = writer.earliest - monotonic;
    int high = writer.latest - (on(ROUND_TRIP_COUNTED) ? asked.monotonic() : monotonic);
    return on(STEP_SINCE_SENT)
        ? new Measured(asked.monotonic(), asked.gap(), low, high)
        : new Measured(monotonic, writer.gap, low, high);
  }

  private static void end(Writer writer, Measured measured) {
    writer.measured = measured;
    writer.asked = null;
    writer.answered = 0;
    writer.earliest = 0;
    writer.latest = 0;
  }

  private void operations(VersionState s, int i, Steps<VersionState> steps) {
    Writer writer = s.writers[i];
    if (writer.writes < scope.writes()) {
      write(s, i, steps);
    }
    int newest = s.written.stream().mapToInt(Write::version).max().orElse(0);
    if (writer.reads < scope.reads() && newest > writer.seen) {
      steps.add(
          name(i) + " reads " + newest,
          t -> {
            t.writers[i].reads++;
            t.writers[i].seen = newest;
          });
    }
  }

  private void write(VersionState s, int i, Steps<VersionState> steps) {
    Writer writer = s.writers[i];
    Measured measured = writer.measured;
    if (measured == null || (on(STEP_MEASURED) && measured.gap() != writer.gap)) {
      return;
    }
    int monotonic = s.now + writer.monotonic;
    int age = monotonic - measured.monotonic();
    int drift = scope.drifting() && on(DRIFT_COUNTED) ? 1 + age / (DRIFT_TICKS - 1) : 0;
    int width = measured.high() - measured.low() + 2 * drift;
    if (on(LIMIT_REFUSES) && width > scope.limit()) {
      return;
    }
    int offset = on(CORRECTED) ? measured.low() + measured.high() : 0;
    int halfTicks = 2 * monotonic + offset;
    if (on(FLOOR_WAITED) && halfTicks - width <= 2 * FLOOR) {
      return;
    }
    int above = on(ABOVE_DRAWN) ? writer.last : 0;
    above = on(ABOVE_READ) ? Math.max(above, writer.seen) : above;
    int version = Math.max(HALF_TICK * halfTicks, above + 1);
    steps.add(
        name(i) + " writes at version " + version + ", uncertain by " + width + " / 2",
        t -> {
          t.widest = Math.max(t.widest, width);
          t.violation = problem(t, t.writers[i], version, Math.min(t.widest, scope.limit()));
          t.written.add(new Write(t.now, version));
          t.writers[i].last = version;
          t.writers[i].writes++;
        });
  }

  private static @Nullable String problem(VersionState t, Writer writer, int version, int bound) {
    if (version <= 2 * HALF_TICK * FLOOR) {
      return version + " is not above the floor: a write of L hides it";
    }
    if (version <= writer.last) {
      return version + " is not above " + writer.last + ", which the process has drawn";
    }
    if (version <= writer.seen) {
      return version + " is not above " + writer.seen + ", which the process has read";
    }
    for (Write other : t.written) {
      int later = t.now - other.time();
      if (later > bound && version <= other.version()) {
        return String.format(
            "%d is not above %d, acknowledged %d ticks before it began, and 2 ε is %d",
            version, other.version(), later, bound);
      }
    }
    return null;
  }

  private static String name(int i) {
    return String.valueOf((char) ('A' + i));
  }
}
