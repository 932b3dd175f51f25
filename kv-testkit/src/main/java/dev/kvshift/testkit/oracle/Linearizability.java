package dev.kvshift.testkit.oracle;

import dev.kvshift.api.Bytes;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Checks whether a history of one key is linearizable: whether a single register, on which each
 * operation takes effect at one moment between its call and its answer, could have produced it.
 *
 * <p>The search is the one of Wing and Gong, which skips states that it has visited before.
 */
public final class Linearizability {
  /** The maximum number of operations in a history: one bit of a long each. */
  public static final int MAX_OPERATIONS = 64;

  private Linearizability() {}

  /**
   * One operation of a client. Times are nanoseconds on a clock that all clients share.
   *
   * @param write whether it is a write; otherwise it is a read
   * @param value the value written or read; null for a delete or a missing key
   * @param called time of the call
   * @param answered time of the answer; null if the outcome stayed unknown, so that the operation
   *     took effect at any time after the call, or never
   */
  public record Operation(
      boolean write, @Nullable Bytes value, long called, @Nullable Long answered) {
    boolean isPending() {
      return answered == null;
    }
  }

  private record Visited(long done, @Nullable Bytes value) {}

  /** Returns whether the history of one key, which has no value at first, is linearizable. */
  public static boolean isLinearizable(List<Operation> history) {
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
      Long answered = operation.answered();
      if ((done & 1L << i) == 0 && answered != null) {
        complete = false;
        firstAnswer = Math.min(firstAnswer, answered);
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
