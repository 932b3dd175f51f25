package dev.kvshift.testkit.oracle;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.testkit.oracle.Linearizability.Operation;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Records the operations of one key for {@link Linearizability}. An operation that certainly had no
 * effect is left out; one of unknown outcome stays pending. Safe for use by many threads.
 */
public final class OperationRecorder {
  private final Queue<Operation> operations = new ConcurrentLinkedQueue<>();

  /** Creates a recorder without operations. */
  public OperationRecorder() {}

  /**
   * Runs a read and records it.
   *
   * @param request returns the value that was read; null for a missing key
   * @return whether it succeeded
   */
  public boolean read(Supplier<@Nullable Bytes> request) {
    long called = System.nanoTime();
    try {
      Bytes value = request.get();
      operations.add(new Operation(false, value, called, System.nanoTime()));
      return true;
    } catch (KvException.Transient e) {
      return false;
    }
  }

  /**
   * Runs a write and records it.
   *
   * @param value the value that is written; null for a delete
   * @return whether it succeeded
   */
  public boolean write(@Nullable Bytes value, Runnable request) {
    long called = System.nanoTime();
    try {
      request.run();
      operations.add(new Operation(true, value, called, System.nanoTime()));
      return true;
    } catch (KvException.UnknownOutcome e) {
      operations.add(new Operation(true, value, called, null));
      return false;
    } catch (KvException.Transient e) {
      return false;
    }
  }

  /** Adds an operation that another process has run, by the same clock. */
  public void add(Operation operation) {
    operations.add(operation);
  }

  /** Returns the operations that were recorded so far. */
  public List<Operation> operations() {
    return new ArrayList<>(operations);
  }
}
