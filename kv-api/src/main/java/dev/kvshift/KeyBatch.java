package dev.kvshift;

import dev.kvshift.Pending.Effect;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.KvException.InvalidArgument;
import dev.kvshift.api.Outcome;
import dev.kvshift.spi.Call;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One operation for each of several keys, a bounded number of them in flight.
 *
 * <p>Each key ends with an outcome of its own, whatever happens to the others: keys whose turn
 * comes after the deadline are not sent, and if a waiting thread gives up, the outcomes that are
 * known are kept.
 */
final class KeyBatch<T extends @Nullable Object> {
  static final int PARALLEL_KEYS = 64;

  private final CompletableFuture<Map<Key, Outcome<T>>> result = new CompletableFuture<>();
  private final Map<Key, Outcome<T>> outcomes = new LinkedHashMap<>();
  private Map<Key, Pending<T>> operations = Map.of();
  private Iterator<Pending<T>> waiting = Collections.emptyIterator();

  private KeyBatch() {}

  /**
   * Sends the operations of several keys.
   *
   * @param keys returns the distinct keys, or throws if an argument is wrong
   * @param prepare returns the operation of a key, which is not sent yet
   * @return the outcomes in the order of the keys. Fails with {@link InvalidArgument} if an
   *     argument is wrong, with nothing sent
   */
  static <T extends @Nullable Object> Pending<Map<Key, Outcome<T>>> send(
      Effect effect, Call call, Supplier<Set<Key>> keys, Function<Key, Pending<T>> prepare) {
    KeyBatch<T> batch = new KeyBatch<>();
    return Pending.send(effect, call, () -> batch.run(keys.get(), prepare), batch::giveUp);
  }

  /**
   * Returns the keys of a batch without repetitions.
   *
   * @throws InvalidArgument if one is null, or there are too many
   */
  static Set<Key> distinct(Collection<Key> keys) {
    Set<Key> distinct = new LinkedHashSet<>(InvalidArgument.requireNonNull(keys, "keys"));
    if (distinct.size() > KvCollection.MAX_KEYS) {
      throw new InvalidArgument(
          "a request for "
              + distinct.size()
              + " keys, the limit is "
              + KvCollection.MAX_KEYS
              + ": split it");
    }
    distinct.forEach(key -> InvalidArgument.requireNonNull(key, "one of the keys"));
    return distinct;
  }

  private CompletionStage<Map<Key, Outcome<T>>> run(
      Set<Key> keys, Function<Key, Pending<T>> prepare) {
    if (keys.isEmpty()) {
      return CompletableFuture.completedFuture(Map.of());
    }
    Map<Key, Pending<T>> prepared = new LinkedHashMap<>();
    keys.forEach(key -> prepared.put(key, prepare.apply(key)));
    synchronized (this) {
      operations = prepared;
      waiting = byMainKey(prepared).iterator();
    }
    prepared.forEach(
        (key, operation) -> operation.whenEnded((value, error) -> ended(key, value, error)));
    for (int lane = 0; lane < PARALLEL_KEYS; lane++) {
      runLane();
    }
    return result;
  }

  /** Returns the operations so that those of one main key follow each other. */
  private static <T extends @Nullable Object> List<Pending<T>> byMainKey(
      Map<Key, Pending<T>> operations) {
    Map<Bytes, List<Pending<T>>> byMain = new LinkedHashMap<>();
    operations.forEach(
        (key, operation) ->
            byMain.computeIfAbsent(key.main(), main -> new ArrayList<>(1)).add(operation));
    List<Pending<T>> all = new ArrayList<>(operations.size());
    byMain.values().forEach(all::addAll);
    return all;
  }

  /**
   * Sends one operation after another. If one has not ended when it is sent, the thread that ends
   * it continues the lane. Whichever of the two passes second continues, so that the stack stays
   * flat however many operations end at once.
   */
  private void runLane() {
    for (Pending<T> operation = next(); operation != null; operation = next()) {
      AtomicBoolean passed = new AtomicBoolean();
      operation
          .sendInTime()
          .whenEnded(
              (value, error) -> {
                if (!passed.compareAndSet(false, true)) {
                  runLane();
                }
              });
      if (passed.compareAndSet(false, true)) {
        return;
      }
    }
  }

  private synchronized @Nullable Pending<T> next() {
    return waiting.hasNext() ? waiting.next() : null;
  }

  private void ended(Key key, T value, @Nullable KvException error) {
    Map<Key, Outcome<T>> all = new LinkedHashMap<>();
    synchronized (this) {
      outcomes.put(key, error == null ? Outcome.ok(value) : Outcome.failed(error));
      if (outcomes.size() < operations.size()) {
        return;
      }
      operations
          .keySet()
          .forEach(each -> all.put(each, Objects.requireNonNull(outcomes.get(each))));
    }
    result.complete(all);
  }

  private void giveUp() {
    List<Pending<T>> all;
    synchronized (this) {
      all = List.copyOf(operations.values());
    }
    all.forEach(Pending::giveUp);
  }
}
