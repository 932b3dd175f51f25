package dev.kvshift.testkit.oracle;

import dev.kvshift.KvCollection;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Key;
import dev.kvshift.testkit.oracle.Linearizability.Operation;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The reads and writes of many clients through the views of one collection, kept per key, so that
 * each key's history can be checked for linearizability. All clients use one key for a while and
 * then move to the next. Safe for use by many threads.
 */
public final class RegisterHistory {
  private static final int OPERATIONS_OF_A_KEY = 40;

  private final Map<Integer, OperationRecorder> histories = new ConcurrentHashMap<>();
  private final AtomicInteger operations = new AtomicInteger();
  private final AtomicInteger failed = new AtomicInteger();

  /** Creates a history without operations. */
  public RegisterHistory() {}

  /** Runs one client until it is to end. */
  public void run(KvCollection collection, Random random, BooleanSupplier ends) {
    while (!ends.getAsBoolean()) {
      int number = operations.getAndIncrement();
      int dice = random.nextInt(10);
      if (dice < 5) {
        read(collection, number);
      } else {
        write(collection, number, dice == 9 ? null : Bytes.utf8("value " + number));
      }
    }
  }

  /** Returns the number of operations that were begun. */
  public int operations() {
    return operations.get();
  }

  /** Returns the number of failed operations, those of unknown outcome included. */
  public int failed() {
    return failed.get();
  }

  /** Returns the histories that no single register could have produced, by their keys. */
  public Map<String, List<Operation>> violations() {
    Map<String, List<Operation>> found = new TreeMap<>();
    histories.forEach(
        (key, history) -> {
          List<Operation> all = history.operations();
          if (!Linearizability.isLinearizable(all)) {
            found.put(key(key).toString(), all);
          }
        });
    return found;
  }

  private static Key key(int number) {
    return Key.of(Bytes.utf8("history " + number), Bytes.utf8("register"));
  }

  private OperationRecorder history(int number) {
    return histories.computeIfAbsent(
        number / OPERATIONS_OF_A_KEY, added -> new OperationRecorder());
  }

  private void read(KvCollection collection, int number) {
    Key key = key(number / OPERATIONS_OF_A_KEY);
    count(history(number).read(() -> collection.get(key).orElse(null)));
  }

  private void write(KvCollection collection, int number, @Nullable Bytes value) {
    Key key = key(number / OPERATIONS_OF_A_KEY);
    count(
        history(number)
            .write(
                value,
                () -> {
                  if (value == null) {
                    collection.delete(key);
                  } else {
                    collection.put(key, value);
                  }
                }));
  }

  private void count(boolean succeeded) {
    if (!succeeded) {
      failed.incrementAndGet();
    }
  }
}
