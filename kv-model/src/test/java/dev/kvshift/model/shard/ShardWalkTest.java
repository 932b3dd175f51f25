package dev.kvshift.model.shard;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.Continuation;
import dev.kvshift.api.Entry;
import dev.kvshift.api.Key;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.Range.Direction;
import dev.kvshift.api.RangePage;
import dev.kvshift.api.RangePage.Stop;
import dev.kvshift.memory.MemoryOptions;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.model.Seeds;
import dev.kvshift.model.key.KeyFormat;
import dev.kvshift.model.key.RandomKeys;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.RowPage;
import dev.kvshift.spi.Store;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.NavigableMap;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Range reads over shards, compared to a sorted map. */
class ShardWalkTest {
  private static final Bytes MAIN = Bytes.utf8("main");
  private static final int ROUNDS = 60;
  private static final Bytes OTHER = Bytes.utf8("other");

  @ParameterizedTest
  @ValueSource(
      strings = {
        "range;shard=bits=1;encoding=0",
        "range;shard=bits=4;encoding=0",
        "range;shard=bits=11;encoding=0",
        "range;shard=bits=24;encoding=0",
        "range;shard=none;encoding=0"
      })
  void pages_rawKeys_areThoseOfASortedMap(String layout) throws Exception {
    forSeeds(
        layout,
        random -> {
          RandomKeys keys = new RandomKeys(random);
          walk(random, Layout.parse(layout), () -> keys.bytes(4), () -> keys.bytes(5));
        });
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "range;shard=bits=3;encoding=1",
        "range;shard=bits=16;encoding=1",
        "range;shard=parts=1;encoding=1",
        "range;shard=parts=2;encoding=1"
      })
  void pages_encodedKeys_areThoseOfASortedMap(String layout) throws Exception {
    forSeeds(
        layout,
        random -> {
          RandomKeys keys = new RandomKeys(random);
          KeyFormat<List<Object>> format = keys.composite();
          walk(
              random,
              Layout.parse(layout),
              () -> keys.encodedKey(format),
              () -> random.nextInt(3) == 0 ? keys.bytes(5) : keys.encodedKey(format));
        });
  }

  private static void forSeeds(String layout, Seeds.Body body) throws Exception {
    for (int round = 0; round < ROUNDS; round++) {
      Seeds.run(layout.hashCode() + round, body);
    }
  }

  @Test
  void getRange_pageThatItsFirstShardFills_looksAtNoOther() {
    Looks looks = new Looks();
    try (KvStore store = store(looks, MemoryOptions.defaults())) {
      KvCollection collection = filled(store, 16);
      looks.shards.clear();
      RangePage page =
          collection.getRange(MAIN, Range.from(Bytes.fromHex("0300")), PageLimit.entries(2));
      assertThat(page.entries())
          .extracting(entry -> entry.clustering().toHex())
          .containsExactly("0300", "0301");
      assertThat(looks.shards).containsExactly("03");
    }
  }

  @Test
  void getRange_pageBegunAtATokenOrInTheMiddle_asksForNothingBefore() {
    for (Direction direction : Direction.values()) {
      Bytes start = Bytes.fromHex("0301");
      Range range =
          direction == Direction.FORWARD
              ? Range.from(start)
              : Range.all().withTo(start, true).withDirection(direction);
      Looks looks = new Looks();
      try (KvStore store = store(looks, MemoryOptions.defaults())) {
        KvCollection collection = filled(store, 16);
        looks.ranges.clear();
        RangePage first = collection.getRange(MAIN, range, PageLimit.entries(1));
        assertThat(looks.ranges).containsExactly(range);
        looks.ranges.clear();
        collection.getRange(MAIN, range, PageLimit.entries(1), first.next());
        assertThat(looks.ranges).containsExactly(range.beyond(start));
      }
    }
  }

  @Test
  void getRange_pageOverSeveralShards_looksAtThoseThatWereWrittenOnly() {
    Looks looks = new Looks();
    try (KvStore store = store(looks, MemoryOptions.defaults())) {
      KvCollection collection = filled(store, 4);
      looks.shards.clear();
      RangePage page = collection.getRange(MAIN, Range.all(), PageLimit.entries(100));
      assertThat(page.stop()).isEqualTo(Stop.END);
      assertThat(looks.shards).containsExactly("00", "01", "02", "03");
    }
  }

  @Test
  void getRange_moreEmptiedShardsThanAPageLooksAt_endsThePageAndGoesOn() {
    Looks looks = new Looks();
    MemoryOptions options = MemoryOptions.defaults().without(Capability.TOMBSTONE_READS);
    for (Direction direction : Direction.values()) {
      try (KvStore store = store(looks, options)) {
        KvCollection collection =
            store.collection("walked", Layout.parse("range;shard=bits=16;encoding=0"));
        int shards = ShardWalk.MAX_SHARDS * 2 + 10;
        for (int shard = 0; shard < shards; shard++) {
          Key key = Key.of(MAIN, Bytes.of((byte) (shard >> 8), (byte) shard, (byte) 1));
          collection.put(key, Bytes.empty());
          if (shard != 0 && shard != shards - 1) {
            collection.delete(key);
          }
        }
        Range range = direction == Direction.FORWARD ? Range.all() : Range.all().backward();
        List<Integer> sizes = new ArrayList<>();
        Continuation next = null;
        do {
          RangePage page = collection.getRange(MAIN, range, PageLimit.entries(10), next);
          sizes.add(page.entries().size());
          next = page.next();
        } while (next != null);
        assertThat(sizes).containsExactly(1, 0, 1);
      }
    }
  }

  @Test
  void getRange_scanLimitAtAKeyOfManyOnes_returnsItOnce() {
    MemoryOptions options = MemoryOptions.defaults().without(Capability.TOMBSTONE_READS);
    try (KvStore store = store(new Looks(), options)) {
      KvCollection collection =
          store.collection("walked", Layout.parse("range;shard=bits=16;encoding=0"));
      Bytes ones = Bytes.fromHex("00ff" + "ff".repeat(12));
      Bytes last = Bytes.fromHex("010000");
      for (int shard = 0; shard < ShardWalk.MAX_SHARDS - 1; shard++) {
        Key emptied = Key.of(MAIN, Bytes.of((byte) 0, (byte) shard));
        collection.put(emptied, Bytes.empty());
        collection.delete(emptied);
      }
      collection.put(Key.of(MAIN, ones), Bytes.empty());
      collection.put(Key.of(MAIN, last), Bytes.empty());
      assertThat(pages(collection, Range.all(), PageLimit.entries(10)))
          .extracting(Entry::clustering)
          .containsExactly(ones, last);
    }
  }

  /** Drivers may end a page at any position, also in front of or behind all keys of the shard. */
  @Test
  void getRange_pagesThatEndAtPositionsOfNoKey_returnEveryEntryOnce() {
    for (Direction direction : Direction.values()) {
      try (KvStore store = store(new Stretches(), MemoryOptions.defaults())) {
        KvCollection collection =
            store.collection("walked", Layout.parse("range;shard=bits=4;encoding=0"));
        List<Bytes> keys = new ArrayList<>();
        for (int i = 0; i < 256; i += 5) {
          boolean isGap = (i >> 4) % 3 == 1;
          if (!isGap) {
            Bytes key = Bytes.of((byte) i, (byte) 1);
            collection.put(Key.of(MAIN, key), Bytes.empty());
            keys.add(key);
          }
        }
        Range range = Range.all();
        if (direction == Direction.BACKWARD) {
          range = range.backward();
          Collections.reverse(keys);
        }
        assertThat(pages(collection, range, PageLimit.entries(7)))
            .extracting(Entry::clustering)
            .containsExactlyElementsOf(keys);
      }
    }
  }

  /** Ends the pages of entries at every third first byte. */
  private static final class Stretches implements HookedStore.Hook {
    private static final int STEP = 3;

    @Override
    @SuppressWarnings("unchecked")
    public <T extends @Nullable Object> CompletionStage<T> run(
        HookedStore.Request request, Supplier<CompletionStage<T>> body) {
      Range range = request.range();
      if (request.isOfDirectory() || range == null) {
        return body.get();
      }
      return body.get().thenApply(page -> (T) ended((RowPage) page, range));
    }

    private static RowPage ended(RowPage page, Range range) {
      boolean forward = range.direction() == Direction.FORWARD;
      for (int i = 0; i < 256; i += STEP) {
        Bytes end = Bytes.of((byte) (forward ? i : 255 - i));
        if (range.contains(end) && !range.beyond(end).isEmpty()) {
          Bytes passed = page.passed();
          int order = passed == null ? 1 : passed.compareTo(end);
          if (passed != null && (forward ? order : -order) < 0) {
            return page;
          }
          List<Row> before =
              page.rows().stream()
                  .filter(row -> !range.beyond(end).contains(row.key().clustering()))
                  .toList();
          return RowPage.of(before, Stop.SCAN_LIMIT, end);
        }
      }
      return page;
    }
  }

  @Test
  void getRange_emptyMainKey_endsAtOnceWithoutLookingAtShards() {
    Looks looks = new Looks();
    try (KvStore store = store(looks, MemoryOptions.defaults().without(Capability.GATE))) {
      KvCollection collection = filled(store, 4);
      looks.shards.clear();
      assertThat(collection.getRange(OTHER, Range.all(), PageLimit.entries(1)))
          .isEqualTo(RangePage.of(List.of(), Stop.END, null));
      assertThat(looks.shards).isEmpty();
    }
  }

  private static KvCollection filled(KvStore store, int shards) {
    KvCollection collection =
        store.collection("walked", Layout.parse("range;shard=bits=8;encoding=0"));
    for (int shard = 0; shard < shards; shard++) {
      for (int i = 0; i < 3; i++) {
        collection.put(Key.of(MAIN, Bytes.of((byte) shard, (byte) i)), Bytes.utf8("v"));
      }
    }
    return collection;
  }

  private static KvStore store(HookedStore.Hook looks, MemoryOptions options) {
    Store memory = MemoryStoreProvider.open("shard-walk-test", options);
    return KvStore.over(new ShardedStore(new HookedStore(memory, looks)));
  }

  /** Writes, deletes and reads at random and compares the results to a sorted map. */
  private static void walk(
      Random random, Layout layout, Supplier<Bytes> newKey, Supplier<Bytes> newBound) {
    MemoryOptions options =
        random.nextBoolean()
            ? MemoryOptions.defaults()
            : MemoryOptions.defaults().without(Capability.TOMBSTONE_READS);
    Store memory = MemoryStoreProvider.open("shard-walk-random", options);
    long cacheBytes = random.nextBoolean() ? 0 : ShardedStore.DEFAULT_CACHE_BYTES;
    try (KvStore store = KvStore.over(new ShardedStore(memory, cacheBytes))) {
      KvCollection collection = store.collection("walked", layout);
      NavigableMap<Bytes, Bytes> wanted = new TreeMap<>();
      for (int i = random.nextInt(120); i > 0; i--) {
        Bytes key = newKey.get();
        Bytes value = Bytes.utf8("v".repeat(random.nextInt(12)));
        collection.put(Key.of(MAIN, key), value);
        collection.put(Key.of(OTHER, newKey.get()), value);
        wanted.put(key, value);
        if (random.nextInt(4) == 0) {
          Bytes gone = new ArrayList<>(wanted.keySet()).get(random.nextInt(wanted.size()));
          collection.delete(Key.of(MAIN, gone));
          wanted.remove(gone);
        }
      }
      wanted.forEach((key, value) -> assertThat(collection.get(Key.of(MAIN, key))).contains(value));
      for (int read = 0; read < 12; read++) {
        Range range =
            Range.all()
                .withFrom(random.nextBoolean() ? null : newBound.get(), random.nextBoolean())
                .withTo(random.nextBoolean() ? null : newBound.get(), random.nextBoolean())
                .withDirection(random.nextBoolean() ? Direction.FORWARD : Direction.BACKWARD);
        PageLimit limit = PageLimit.of(1 + random.nextInt(9), 1 + random.nextInt(60));
        List<Entry> expected = new ArrayList<>();
        wanted.forEach(
            (key, value) -> {
              if (range.contains(key)) {
                expected.add(Entry.of(key, value));
              }
            });
        if (range.direction() == Direction.BACKWARD) {
          Collections.reverse(expected);
        }
        assertThat(pages(collection, range, limit)).isEqualTo(expected);
      }
    }
  }

  private static List<Entry> pages(KvCollection collection, Range range, PageLimit limit) {
    List<Entry> all = new ArrayList<>();
    Continuation next = null;
    do {
      RangePage page = collection.getRange(MAIN, range, limit, next);
      int bytes =
          page.entries().stream().mapToInt(e -> e.clustering().size() + e.value().size()).sum();
      assertThat(page.entries()).hasSizeLessThanOrEqualTo(limit.entries());
      assertThat(bytes <= limit.bytes() || page.entries().size() == 1).isTrue();
      assertThat(page.entries().isEmpty() && page.stop() == Stop.ENTRY_LIMIT).isFalse();
      all.addAll(page.entries());
      next = page.next();
    } while (next != null);
    return all;
  }

  /** Records the shards and ranges of entries that range reads ask for. */
  private static final class Looks implements HookedStore.Hook {
    final Set<String> shards = Collections.synchronizedSet(new LinkedHashSet<>());
    final List<Range> ranges = Collections.synchronizedList(new ArrayList<>());

    @Override
    public <T extends @Nullable Object> CompletionStage<T> run(
        HookedStore.Request request, Supplier<CompletionStage<T>> body) {
      if (!request.isOfDirectory() && request.kind() == HookedStore.Kind.RANGE) {
        shards.add(request.key().shard().toHex());
        ranges.add(request.range());
      }
      return body.get();
    }
  }
}
