package dev.kvshift.bench.scylla;

import com.datastax.oss.driver.api.core.CqlSession;
import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Key;
import dev.kvshift.api.Layout;
import dev.kvshift.api.Outcome;
import dev.kvshift.api.ShardRule;
import dev.kvshift.bench.measure.BenchNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * Calls for {@value #KEYS} keys in each way that a service has: one by one, by one call of {@link
 * KvCollection}, and by hand on the native driver. Each call takes the keys of one of {@value
 * #GROUPS} groups.
 */
final class SeveralKeys {
  static final int KEYS = 50;
  static final int GROUPS = 64;
  static final String ONE_BY_ONE = "one by one";
  static final String OURS = "kv-scylla";
  static final String BY_HAND = "by hand";
  static final String BY_HAND_AGAIN = "by hand again";

  static final String POINTS = "servicepoints";
  private static final String RANGES = "serviceranges";
  private static final int MAIN_BYTES = 32;

  /** A call for all keys of a group. Fails if one of them is not found or not written. */
  interface Work {
    void call(int group) throws Exception;
  }

  private final KvCollection points;
  private final KvCollection ranges;
  private final byte[] value;
  private final byte[][][] mains = new byte[GROUPS][KEYS][MAIN_BYTES];
  private final byte[][] clusterings = new byte[KEYS][];

  SeveralKeys(KvStore store, Random random, int valueBytes) {
    points = store.collection(POINTS, Layout.point());
    ranges = store.collection(RANGES, Layout.range(ShardRule.none()));
    value = new byte[valueBytes];
    random.nextBytes(value);
    for (byte[][] group : mains) {
      for (byte[] main : group) {
        random.nextBytes(main);
      }
    }
    for (int i = 0; i < KEYS; i++) {
      clusterings[i] = RangeRows.clustering(i);
    }
  }

  /** Returns the name of the table of points. */
  static String pointsTable() {
    return table(POINTS);
  }

  private static String table(String collection) {
    return "\"" + BenchNode.KEYSPACE + "\"." + collection + "_i1";
  }

  /** Calls for keys that have a main key in common. */
  Map<String, Work> putsOfOneMainKey(CqlSession session, CqlSession another) {
    NativeDriverRanges raw = new NativeDriverRanges(session, table(RANGES));
    NativeDriverRanges again = new NativeDriverRanges(another, table(RANGES));
    return contenders(
        group -> keysOf(group).forEach(key -> ranges.put(key, Bytes.of(value))),
        group -> putAll(ranges, keysOf(group)),
        group -> await(raw.putAll(mains[group][0], clusterings, value)),
        group -> await(again.putAll(mains[group][0], clusterings, value)));
  }

  /** Calls for keys that have a main key in common, after those that write them. */
  Map<String, Work> getsOfOneMainKey(CqlSession session, CqlSession another) {
    NativeDriverRanges raw = new NativeDriverRanges(session, table(RANGES));
    NativeDriverRanges again = new NativeDriverRanges(another, table(RANGES));
    return contenders(
        group -> keysOf(group).forEach(key -> requirePresent(ranges.get(key))),
        group -> getAll(ranges, keysOf(group)),
        group -> requireAll(await(raw.getAll(mains[group][0], clusterings))),
        group -> requireAll(await(again.getAll(mains[group][0], clusterings))));
  }

  /** Calls for keys of as many main keys. */
  Map<String, Work> putsOfManyMainKeys(CqlSession session, CqlSession another) {
    NativeDriverPoints raw = new NativeDriverPoints(session, table(POINTS));
    NativeDriverPoints again = new NativeDriverPoints(another, table(POINTS));
    return contenders(
        group -> pointsOf(group).forEach(key -> points.put(key, Bytes.of(value))),
        group -> putAll(points, pointsOf(group)),
        group -> waitAll(i -> raw.put(mains[group][i], value)),
        group -> waitAll(i -> again.put(mains[group][i], value)));
  }

  /** Calls for keys of as many main keys, after those that write them. */
  Map<String, Work> getsOfManyMainKeys(CqlSession session, CqlSession another) {
    NativeDriverPoints raw = new NativeDriverPoints(session, table(POINTS));
    NativeDriverPoints again = new NativeDriverPoints(another, table(POINTS));
    return contenders(
        group -> pointsOf(group).forEach(key -> requirePresent(points.get(key))),
        group -> getAll(points, pointsOf(group)),
        group -> waitAll(i -> raw.get(mains[group][i])),
        group -> waitAll(i -> again.get(mains[group][i])));
  }

  private static Map<String, Work> contenders(Work oneByOne, Work ours, Work raw, Work again) {
    Map<String, Work> contenders = new LinkedHashMap<>();
    contenders.put(ONE_BY_ONE, oneByOne);
    contenders.put(OURS, ours);
    contenders.put(BY_HAND, raw);
    contenders.put(BY_HAND_AGAIN, again);
    return contenders;
  }

  private List<Key> keysOf(int group) {
    Bytes main = Bytes.of(mains[group][0]);
    List<Key> keys = new ArrayList<>(KEYS);
    for (byte[] clustering : clusterings) {
      keys.add(Key.of(main, Bytes.of(clustering)));
    }
    return keys;
  }

  private List<Key> pointsOf(int group) {
    List<Key> keys = new ArrayList<>(KEYS);
    for (byte[] main : mains[group]) {
      keys.add(Key.of(Bytes.of(main)));
    }
    return keys;
  }

  private void putAll(KvCollection collection, List<Key> keys) {
    Map<Key, Bytes> entries = new LinkedHashMap<>();
    keys.forEach(key -> entries.put(key, Bytes.of(value)));
    for (Outcome<@Nullable Void> written : collection.putAll(entries).values()) {
      written.orThrow();
    }
  }

  private static void getAll(KvCollection collection, List<Key> keys) {
    collection.getAll(keys).values().forEach(found -> requirePresent(found.orThrow()));
  }

  private static void requirePresent(Optional<Bytes> found) {
    if (found.isEmpty()) {
      throw new IllegalStateException("an entry is lost");
    }
  }

  private static void requireAll(List<byte[]> values) {
    if (values.size() != KEYS) {
      throw new IllegalStateException(values.size() + " entries of " + KEYS + " were found");
    }
  }

  private static <T> T await(CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get();
  }

  private static void waitAll(IntFunction<CompletionStage<?>> request) throws Exception {
    CompletableFuture<?>[] all = new CompletableFuture<?>[KEYS];
    for (int i = 0; i < KEYS; i++) {
      all[i] = request.apply(i).toCompletableFuture();
    }
    CompletableFuture.allOf(all).get();
  }
}
