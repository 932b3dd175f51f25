package dev.kvshift.testkit;

import dev.kvshift.api.Bytes;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Checks whether what clients saw of one key can be explained by a register on which each operation
 * takes effect at one moment between its call and its answer: the search of Wing and Gong, with
 * states visited before left out.
 */
final class Linearizability {
  /** The most operations of one history. */
  static final int MAX_OPERATIONS = 64;

  private Linearizability() {}

  /**
   * What one client did.
   *
   * @param write whether it wrote; otherwise it read
   * @param value what was written or read; null for a delete or a miss
   * @param called when it was called, on a clock shared by all
   * @param answered when it was answered; {@link Long#MAX_VALUE} where the outcome stayed unknown,
   *     so that it took effect at any later time, or never
   */
  record Operation(boolean write, @Nullable Bytes value, long called, long answered) {
    boolean isPending() {
      return answered == Long.MAX_VALUE;
    }
  }

  private record Visited(long done, @Nullable Bytes value) {}

  /** Returns whether the history of one key, which begins empty, is linearizable. */
  static boolean isLinearizable(List<Operation> history) {
    if (history.size() > MAX_OPERATIONS) {
      throw new IllegalArgumentException("at most " + MAX_OPERATIONS + " operations of one key");
    }
    List<Operation> operations = new ArrayList<>(history);
    operations.removeIf(operation -> !operation.write() && operation.isPending());
    return search(operations, 0, null, new HashSet<>());
  }

  private static boolean search(
      List<Operation> operations, long done, @Nullable Bytes value, Set<Visited> visited) {
    if (!visited.add(new Visited(done, value))) {
      return false;
    }
    long firstAnswer = Long.MAX_VALUE;
    boolean complete = true;
    for (int i = 0; i < operations.size(); i++) {
      Operation operation = operations.get(i);
      if ((done & 1L << i) == 0 && !operation.isPending()) {
        complete = false;
        firstAnswer = Math.min(firstAnswer, operation.answered());
      }
    }
    if (complete) {
      return true;
    }
    for (int i = 0; i < operations.size(); i++) {
      Operation operation = operations.get(i);
      boolean next = (done & 1L << i) == 0 && operation.called() <= firstAnswer;
      if (next
          && (operation.write() || Objects.equals(operation.value(), value))
          && search(
              operations, done | 1L << i, operation.write() ? operation.value() : value, visited)) {
        return true;
      }
    }
    return false;
  }
}
