package dev.kvshift.model;

import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Outcome;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BiFunction;

/** Gives the outcomes of multi-key requests back in the service's own types. */
final class TypedOutcomes {
  private TypedOutcomes() {}

  static <K, A, B> Map<K, Outcome<B>> of(
      Map<Key, K> keys, Map<Key, Outcome<A>> outcomes, BiFunction<Key, A, B> decode) {
    Map<K, Outcome<B>> typed = new LinkedHashMap<>();
    keys.forEach(
        (encoded, key) -> {
          Outcome<A> outcome = outcomes.get(encoded);
          if (outcome instanceof Outcome.Ok<A> ok) {
            typed.put(key, decoded(encoded, ok.value(), decode));
          } else if (outcome instanceof Outcome.Failed<A> failed) {
            typed.put(key, new Outcome.Failed<>(failed.error()));
          }
        });
    return typed;
  }

  private static <A, B> Outcome<B> decoded(Key key, A value, BiFunction<Key, A, B> decode) {
    try {
      return new Outcome.Ok<>(decode.apply(key, value));
    } catch (KvException e) {
      return new Outcome.Failed<>(e);
    }
  }
}
