package dev.kvshift;

import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Outcome;
import java.util.Collection;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Runs one operation for each of several keys, a bounded number of them at once. */
final class KeyBatch<T extends @Nullable Object> {
  static final int PARALLEL_KEYS = 64;

  private final Function<Key, CompletionStage<T>> operation;
  private final Iterator<Key> waiting;
  private final Map<Key, @Nullable Outcome<T>> outcomes = new LinkedHashMap<>();
  private final CompletableFuture<Map<Key, Outcome<T>>> result = new CompletableFuture<>();
  private int missing;

  private KeyBatch(Set<Key> keys, Function<Key, CompletionStage<T>> operation) {
    this.operation = operation;
    this.waiting = keys.iterator();
    this.missing = keys.size();
    keys.forEach(key -> outcomes.put(key, null));
  }

  /** Completes, never exceptionally, once every key has its outcome; in the order of the keys. */
  static <T extends @Nullable Object> CompletionStage<Map<Key, Outcome<T>>> run(
      Collection<Key> keys, Function<Key, CompletionStage<T>> operation) {
    Set<Key> distinct = new LinkedHashSet<>(keys);
    if (distinct.size() > KvCollection.MAX_KEYS) {
      throw new KvException.Permanent(
          "a request for "
              + distinct.size()
              + " keys, the limit is "
              + KvCollection.MAX_KEYS
              + ": split it");
    }
    if (distinct.isEmpty()) {
      return CompletableFuture.completedFuture(Map.of());
    }
    KeyBatch<T> batch = new KeyBatch<>(distinct, operation);
    for (int lane = 0; lane < PARALLEL_KEYS; lane++) {
      batch.runLane();
    }
    return batch.result;
  }

  /** Takes one key after another, waiting for none: it is called again when the one has ended. */
  private void runLane() {
    for (Key key = next(); key != null; key = next()) {
      Key current = key;
      CompletableFuture<T> running = start(current);
      if (!running.isDone()) {
        running.whenComplete(
            (value, error) -> {
              ended(current, value, error);
              runLane();
            });
        return;
      }
      running.whenComplete((value, error) -> ended(current, value, error));
    }
  }

  private synchronized @Nullable Key next() {
    return waiting.hasNext() ? waiting.next() : null;
  }

  private CompletableFuture<T> start(Key key) {
    try {
      return operation.apply(key).toCompletableFuture();
    } catch (KvException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  private void ended(Key key, T value, @Nullable Throwable error) {
    Outcome<T> outcome = error == null ? Outcome.ok(value) : Outcome.failed(Stages.known(error));
    synchronized (this) {
      outcomes.put(key, outcome);
      missing--;
      if (missing > 0) {
        return;
      }
    }
    Map<Key, Outcome<T>> all = new LinkedHashMap<>();
    outcomes.forEach(
        (each, found) -> {
          if (found != null) {
            all.put(each, found);
          }
        });
    result.complete(all);
  }
}
