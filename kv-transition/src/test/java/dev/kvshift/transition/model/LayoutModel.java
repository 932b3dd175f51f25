package dev.kvshift.transition.model;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;
import java.util.Set;

/**
 * One key of a collection whose shard rule changes with its move, and processes that are deployed
 * with the former model or the new one, on the old store's string, on transition:// or on the new
 * store's. Each rule keeps the key in a shard of its own. Requests are atomic: other models have
 * what happens within them.
 *
 * <p>Properties: a read returns what was acknowledged last; the new model can be deployed on
 * transition:// in legacy; no step up makes a store refuse the requests of a process that runs.
 */
final class LayoutModel implements Model<LayoutModel.State> {
  private static final int PROCESSES = 2;
  private static final int PUTS = 2;
  private static final int DEPLOYMENTS = 4;
  private static final int STEPS = 4;

  /** The sides, and their rules: a key is in the shard of this number under the side's own rule. */
  private static final int OLD = 0;

  private static final int NEW = 1;

  /** The strings of processes, of which the first two are also the numbers of sides. */
  private static final int TRANSITION = 2;

  private static final int LEGACY = 0;
  private static final int DUAL_WRITE = 1;
  private static final int NEW_PRIMARY = 2;
  private static final int NEW_ONLY = 3;
  private static final String[] PHASES = {"legacy", "dual-write", "new-primary", "new-only"};
  private static final String[] STRINGS = {"the old string", "the new string", "transition://"};
  private static final String[] MODELS = {"the former model", "the new model"};

  private final Set<LayoutRule> off;

  /**
   * @param off the rules to leave out
   */
  LayoutModel(Set<LayoutRule> off) {
    this.off = off;
  }

  /** A process. */
  private record Deployed(int string, int model, boolean steppedUp) {}

  /** The data of the model. */
  static final class State {
    private int phase = LEGACY;
    private final Deployed[] processes = new Deployed[PROCESSES];
    private final byte[][] versions = new byte[2][2];
    private byte acknowledged;
    private int puts;
    private int deployments;
    private int steps;
    private String broken = "";
  }

  private boolean on(LayoutRule rule) {
    return !off.contains(rule);
  }

  @Override
  public State initial() {
    State first = new State();
    Arrays.fill(first.processes, new Deployed(OLD, OLD, false));
    return first;
  }

  @Override
  public State copy(State state) {
    State copy = new State();
    copy.phase = state.phase;
    System.arraycopy(state.processes, 0, copy.processes, 0, PROCESSES);
    for (int side = OLD; side <= NEW; side++) {
      copy.versions[side] = state.versions[side].clone();
    }
    copy.acknowledged = state.acknowledged;
    copy.puts = state.puts;
    copy.deployments = state.deployments;
    copy.steps = state.steps;
    copy.broken = state.broken;
    return copy;
  }

  @Override
  public void write(State state, ByteBuffer out) {
    out.put((byte) state.phase).put(state.acknowledged).put((byte) state.puts);
    out.put((byte) state.deployments).put((byte) state.steps);
    for (Deployed each : state.processes) {
      out.put((byte) each.string).put((byte) each.model).put((byte) (each.steppedUp ? 1 : 0));
    }
    for (byte[] side : state.versions) {
      out.put(side);
    }
    out.put((byte) (state.broken.isEmpty() ? 0 : 1));
  }

  @Override
  public Optional<String> violation(State state) {
    return state.broken.isEmpty() ? Optional.empty() : Optional.of(state.broken);
  }

  @Override
  public void steps(State s, Steps<State> steps) {
    if (!s.broken.isEmpty()) {
      return;
    }
    for (int i = 0; i < PROCESSES; i++) {
      requests(s, i, steps);
      deployments(s, i, steps);
    }
    migration(s, steps);
  }

  private void requests(State s, int i, Steps<State> steps) {
    Deployed process = s.processes[i];
    boolean asksOld =
        process.string == OLD || (process.string == TRANSITION && s.phase != NEW_ONLY);
    boolean asksNew =
        process.string == NEW || (process.string == TRANSITION && s.phase >= DUAL_WRITE);
    boolean readsNew = asksNew && (s.phase >= NEW_PRIMARY || !asksOld);
    if (s.puts < PUTS) {
      steps.add(
          "process " + i + " puts " + (s.puts + 1),
          t -> {
            if (asksNew && isRefusedOnNew(process)) {
              refuse(t, process);
              return;
            }
            t.puts++;
            if (asksOld) {
              t.versions[OLD][ruleOnOld(process)] = (byte) t.puts;
            }
            if (asksNew) {
              t.versions[NEW][process.model] = (byte) t.puts;
            }
            t.acknowledged = (byte) t.puts;
          });
    }
    steps.add(
        "process " + i + " reads",
        t -> {
          if (readsNew && isRefusedOnNew(process)) {
            refuse(t, process);
            return;
          }
          byte found =
              readsNew ? t.versions[NEW][process.model] : t.versions[OLD][ruleOnOld(process)];
          if (found != t.acknowledged) {
            t.broken = "a read finds " + found + ", acknowledged was " + t.acknowledged;
          }
        });
  }

  /** A process that came too late may be refused, one that a step has surprised may not. */
  private static void refuse(State t, Deployed process) {
    if (process.steppedUp) {
      t.broken = "a step makes the new side refuse a process that has served";
    }
  }

  private boolean isRefusedOnNew(Deployed process) {
    return process.model != NEW && on(LayoutRule.LAYOUT_ONE_RULE);
  }

  private int ruleOnOld(Deployed process) {
    return process.string == TRANSITION && on(LayoutRule.LAYOUT_OLD_AS_RECORDED)
        ? OLD
        : process.model;
  }

  private void deployments(State s, int i, Steps<State> steps) {
    if (s.deployments == DEPLOYMENTS) {
      return;
    }
    for (int string = OLD; string <= TRANSITION; string++) {
      boolean isTooEarlyOrLate =
          (string == OLD && s.phase != LEGACY) || (string == NEW && s.phase != NEW_ONLY);
      for (int model = OLD; model <= NEW && !isTooEarlyOrLate; model++) {
        Deployed next = new Deployed(string, model, false);
        steps.add(
            "process " + i + " is deployed on " + STRINGS[string] + " with " + MODELS[model],
            t -> {
              t.deployments++;
              if (starts(next)) {
                t.processes[i] = next;
              } else if (next.string == TRANSITION && t.phase == LEGACY) {
                t.broken = "the new model cannot be deployed on transition:// in legacy";
              }
            });
      }
    }
  }

  /** Returns whether a process starts: its only side, or its old one, opens the collection. */
  private boolean starts(Deployed process) {
    int side = process.string == NEW ? NEW : OLD;
    int rule = side == NEW ? process.model : ruleOnOld(process);
    return rule == side || !on(LayoutRule.LAYOUT_ONE_RULE);
  }

  /** Steps of a migration whose new side was prepared under the new rule. */
  private void migration(State s, Steps<State> steps) {
    boolean isReady =
        Arrays.stream(s.processes)
            .allMatch(
                each ->
                    each.string == TRANSITION
                        && (!isRefusedOnNew(each) || !on(LayoutRule.LAYOUT_STEP_WAITS)));
    if (s.steps == STEPS || s.phase == NEW_ONLY) {
      return;
    }
    if (isReady) {
      steps.add("the step into " + PHASES[s.phase + 1], t -> step(t, t.phase + 1));
    }
    if (s.phase > LEGACY) {
      steps.add("the step back into " + PHASES[s.phase - 1], t -> step(t, t.phase - 1));
    }
  }

  /** Takes a step, after a pass if it leads into new-primary or back from there. */
  private static void step(State t, int phase) {
    if (phase == NEW_PRIMARY || t.phase == NEW_PRIMARY) {
      byte newest = (byte) Math.max(t.versions[OLD][OLD], t.versions[NEW][NEW]);
      t.versions[OLD][OLD] = newest;
      t.versions[NEW][NEW] = newest;
    }
    if (phase > t.phase) {
      for (int i = 0; i < PROCESSES; i++) {
        t.processes[i] = new Deployed(t.processes[i].string, t.processes[i].model, true);
      }
    }
    t.phase = phase;
    t.steps++;
  }
}
