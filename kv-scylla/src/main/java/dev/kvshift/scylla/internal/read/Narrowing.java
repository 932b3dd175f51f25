package dev.kvshift.scylla.internal.read;

import dev.kvshift.spi.Futures;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/**
 * The width of a collection's reads at the places at which the server has refused wider ones,
 * because they met too many deleted or expired rows. Safe for use by many threads.
 *
 * <p>A read of width 2^-shift of what is left is retried with a greater shift until the server
 * answers. The places are remembered, so that a request whose deadline passes meanwhile leaves the
 * next one a narrower start: otherwise a retry would begin with the same refusal, and end with it.
 *
 * @param <K> a place at which reads begin
 */
public final class Narrowing<K> {
  private static final int STEP = 8;
  private static final int WIDEN = 2;
  private static final int MAX_PLACES = 1_000;
  private static final Duration PAUSE = Duration.ofMillis(5);

  private final Map<K, Integer> places =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<K, Integer> eldest) {
          return size() > MAX_PLACES;
        }
      };

  private int usual = STEP;

  /**
   * Sends a narrower read, a moment after the refusal. The pause spares a server that refuses at
   * once, and keeps the stack flat.
   */
  public static <T> CompletionStage<T> retry(Supplier<CompletionStage<T>> read) {
    return Futures.after(PAUSE).thenCompose(waited -> read.get());
  }

  /** Returns the shift of a read that begins at a place; 0 for all that is left. */
  public synchronized int at(K place) {
    return places.getOrDefault(place, 0);
  }

  /** Returns the shift after a refusal at a place, and remembers it. */
  public synchronized int narrower(K place, int refused) {
    int next = refused == 0 ? usual : refused + STEP;
    places.put(place, next);
    return next;
  }

  /** Returns the shift after an answer. The place becomes wider with each of its answers. */
  public synchronized int wider(K place, int answered) {
    usual = Math.max(STEP, answered);
    int next = Math.max(0, answered - WIDEN);
    if (next > 0) {
      places.computeIfPresent(place, (same, known) -> next);
    } else {
      places.remove(place);
    }
    return next;
  }
}
