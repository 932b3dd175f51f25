package dev.kvshift.transition.model;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Walks the states of a model breadth first, so that the first violation found has a shortest
 * trace.
 *
 * <p>Visited states are kept as 64-bit fingerprints, about 25 bytes a state: two states among ten
 * million share one with a probability of 1 in 400,000. A trace is not stored but replayed, from
 * each state's parent and the number of the parent's step that led to it.
 */
final class Explorer<S> {
  private static final int MAX_STATE_BYTES = 512;

  private final Model<S> model;
  private final int maxStates;
  private final Fingerprints visited = new Fingerprints();
  private final ArrayDeque<S> frontier = new ArrayDeque<>();
  private final ByteBuffer bytes = ByteBuffer.allocate(MAX_STATE_BYTES);
  private int[] parents = new int[1024];
  private short[] steps = new short[1024];
  private int states;

  private Explorer(Model<S> model, int maxStates) {
    this.model = model;
    this.maxStates = maxStates;
  }

  /**
   * The result of a walk.
   *
   * @param states how many states were visited
   * @param complete whether these are all states of the model
   */
  record Result(int states, boolean complete, Optional<Violation> violation) {}

  /** A violated property and the shortest way to it. */
  record Violation(String property, List<String> trace) {
    @Override
    public String toString() {
      StringBuilder text = new StringBuilder(property);
      int number = 0;
      for (String line : trace) {
        text.append(String.format("%n%4d. %s", ++number, line));
      }
      return text.toString();
    }
  }

  /** Walks until a property is violated, all states are visited, or the bound is reached. */
  static <S> Result explore(Model<S> model, int maxStates) {
    return new Explorer<>(model, maxStates).explore();
  }

  private Result explore() {
    visit(model.initial(), 0, 0);
    for (int index = 0; !frontier.isEmpty(); index++) {
      Expansion expansion = new Expansion(frontier.remove(), index);
      model.steps(expansion.from, expansion);
      if (expansion.violation != null) {
        return new Result(states, false, Optional.of(expansion.violation));
      }
      if (states >= maxStates) {
        return new Result(states, frontier.isEmpty(), Optional.empty());
      }
    }
    return new Result(states, true, Optional.empty());
  }

  private void visit(S state, int parent, int step) {
    bytes.clear();
    model.write(state, bytes);
    if (!visited.add(bytes.flip())) {
      return;
    }
    if (states == parents.length) {
      parents = Arrays.copyOf(parents, 2 * states);
      steps = Arrays.copyOf(steps, 2 * states);
    }
    parents[states] = parent;
    steps[states] = (short) step;
    states++;
    frontier.add(state);
  }

  /** The steps of one state. After a violation the others are ignored. */
  private final class Expansion implements Model.Steps<S> {
    private final S from;
    private final int index;
    private int step;
    private @Nullable Violation violation;

    Expansion(S from, int index) {
      this.from = from;
      this.index = index;
    }

    @Override
    public void add(String label, Consumer<S> change) {
      if (violation != null) {
        return;
      }
      S to = model.copy(from);
      change.accept(to);
      Optional<String> property = model.violation(to);
      if (property.isPresent()) {
        List<String> trace = trace(index);
        trace.add(label);
        violation = new Violation(property.get(), trace);
        return;
      }
      visit(to, index, step);
      step++;
    }
  }

  private List<String> trace(int last) {
    List<Integer> path = new ArrayList<>();
    for (int index = last; index != 0; index = parents[index]) {
      path.add(0, (int) steps[index]);
    }
    List<String> trace = new ArrayList<>();
    S state = model.initial();
    for (int wanted : path) {
      Replay replay = new Replay(state, wanted);
      model.steps(state, replay);
      trace.add(replay.label);
      state = replay.to;
    }
    return trace;
  }

  /** Picks one step of a state. */
  private final class Replay implements Model.Steps<S> {
    private final S from;
    private final int wanted;
    private int step;
    private String label = "";
    private S to;

    Replay(S from, int wanted) {
      this.from = from;
      this.wanted = wanted;
      to = from;
    }

    @Override
    public void add(String text, Consumer<S> change) {
      if (step++ == wanted) {
        label = text;
        to = model.copy(from);
        change.accept(to);
      }
    }
  }
}
