package dev.kvshift.transition;

import static dev.kvshift.testkit.concurrent.Await.join;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.KvCollection;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Entry;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.RangePage;
import dev.kvshift.api.ShardRule;
import dev.kvshift.model.mapping.MappedStore;
import dev.kvshift.model.mapping.Mapping;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.RowPage;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.testkit.concurrent.Await;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A collection whose shard rule changes with its move: who opens which side under which layout. */
final class LayoutChangeTest {
  private static final Layout WHOLE = range(ShardRule.none());
  private static final Layout SHARDED = range(ShardRule.firstBits(4));
  private static final Bytes MAIN = Bytes.utf8("main");

  /** Shards are the first bits of a key as it is. */
  private static Layout range(ShardRule rule) {
    return Layout.of(Layout.Shape.RANGE, rule, 0);
  }

  @ParameterizedTest
  @CsvSource({"none,bits=4", "bits=4,bits=2", "bits=2,none"})
  void service_modelOfAnotherRule_findsEverythingInEachPhase(String before, String after) {
    Layout oldLayout = range(ShardRule.parse(before));
    Layout newLayout = range(ShardRule.parse(after));
    try (LeaderlessStores stores = new LeaderlessStores(oldLayout, newLayout)) {
      KvCollection plain = stores.connectPlainly("old", oldLayout);
      Map<Bytes, Bytes> expected = new TreeMap<>();
      put(plain, expected, "before");
      KvCollection items = stores.connect("service");
      for (Phase phase :
          List.of(
              Phase.LEGACY,
              Phase.SHADOW_WRITE,
              Phase.DUAL_WRITE,
              Phase.SHADOW_READ,
              Phase.NEW_READ,
              Phase.NEW_PRIMARY)) {
        stores.moveTo(phase);
        put(items, expected, phase.word());
        requireSame(items, expected);
        requireSame(plain, expected);
      }
      stores.moveTo(Phase.NEW_ONLY);
      put(items, expected, "moved");
      requireSame(items, expected);
      requireSame(stores.connectPlainly("new", newLayout), expected);
      assertThat(shards(stores, "old")).isEqualTo(prefixes(oldLayout.rule()));
      assertThat(shards(stores, "new")).isEqualTo(prefixes(newLayout.rule()));
    }
  }

  /** Writes keys with each first byte, some of them again, and deletes one. */
  private static void put(KvCollection items, Map<Bytes, Bytes> expected, String round) {
    for (int first = 0; first < 256; first += 16) {
      for (String last : List.of(" always", " in " + round)) {
        Bytes clustering = Bytes.of((byte) first).concat(Bytes.utf8(last));
        items.put(Key.of(MAIN, clustering), Bytes.utf8(round));
        expected.put(clustering, Bytes.utf8(round));
      }
    }
    Bytes deleted = Bytes.of((byte) 16).concat(Bytes.utf8(" always"));
    items.delete(Key.of(MAIN, deleted));
    expected.remove(deleted);
  }

  private static void requireSame(KvCollection items, Map<Bytes, Bytes> expected) {
    expected.forEach(
        (clustering, value) -> assertThat(items.get(Key.of(MAIN, clustering))).contains(value));
    for (Range range : List.of(Range.all(), Range.all().backward())) {
      Map<Bytes, Bytes> found = new TreeMap<>();
      List<Bytes> order = new ArrayList<>();
      RangePage page = items.getRange(MAIN, range, PageLimit.entries(7));
      while (true) {
        for (Entry entry : page.entries()) {
          found.put(entry.clustering(), entry.value());
          order.add(entry.clustering());
        }
        if (page.next() == null) {
          break;
        }
        page = items.getRange(MAIN, range, PageLimit.entries(7), page.next());
      }
      if (range.direction() == Range.Direction.BACKWARD) {
        Collections.reverse(order);
      }
      assertThat(found).isEqualTo(expected);
      assertThat(order).containsExactlyElementsOf(expected.keySet());
    }
  }

  /** Returns the shards that a side's directory lists; the empty one if it has no directory. */
  private static SortedSet<Bytes> shards(LeaderlessStores stores, String side) {
    String directory = LeaderlessStores.ITEMS + CollectionRecord.DIRECTORY_SUFFIX;
    try (Store store = stores.inner(side)) {
      CollectionRecord record = join(CollectionRecord.read(store.metadata(), directory));
      if (record == null) {
        return new TreeSet<>(List.of(Bytes.empty()));
      }
      StoreCollection rows = join(store.open(directory, record.layout(), Claim.NONE));
      RowPage page =
          join(
              rows.range(
                  MAIN,
                  Bytes.empty(),
                  Range.all(),
                  PageLimit.entries(100),
                  LeaderlessStores.call()));
      return page.rows().stream()
          .map(row -> row.key().clustering())
          .collect(Collectors.toCollection(TreeSet::new));
    }
  }

  /** Returns the shards of all keys. */
  private static SortedSet<Bytes> prefixes(ShardRule rule) {
    int step = rule.toString().equals("none") ? 256 : rule.toString().equals("bits=2") ? 64 : 16;
    SortedSet<Bytes> prefixes = new TreeSet<>();
    for (int first = 0; first < 256; first += step) {
      prefixes.add(step == 256 ? Bytes.empty() : Bytes.of((byte) first));
    }
    return prefixes;
  }

  @Test
  void open_otherShapeOrEncoding_isRefusedNamingBoth() {
    try (LeaderlessStores stores = new LeaderlessStores(WHOLE, SHARDED)) {
      for (Layout other : List.of(Layout.point(), SHARDED.withEncoding(1))) {
        assertThatThrownBy(() -> stores.connect("service", other))
            .isInstanceOf(KvException.Permanent.class)
            .hasMessageContaining("has the layout " + WHOLE + " on the old side")
            .hasMessageContaining("is to have " + other + " on the new one")
            .hasMessageContaining("can change the shard rule alone");
        assertThat(
                Await.failure(
                    KvException.Permanent.class,
                    () ->
                        ClockOrder.prepare(
                            LeaderlessStores.ITEMS, other, stores.oldStore, stores.newStore)))
            .hasMessageContaining("can change the shard rule alone");
      }
    }
  }

  @Test
  void open_mappedOldStoreWithoutItsMapping_isRefused() {
    try (LeaderlessStores stores = new LeaderlessStores();
        Store plain = stores.inner("mapped")) {
      Store mapped = new MappedStore(plain, List.of(new Framed()));
      join(mapped.open(LeaderlessStores.ITEMS, WHOLE, Claim.ACTIVE));
      join(ClockOrder.openOld(mapped, LeaderlessStores.ITEMS, WHOLE, Claim.NONE));
      for (Supplier<CompletionStage<?>> request :
          List.<Supplier<CompletionStage<?>>>of(
              () -> ClockOrder.openOld(plain, LeaderlessStores.ITEMS, WHOLE, Claim.NONE),
              () -> ClockOrder.prepare(LeaderlessStores.ITEMS, WHOLE, plain, stores.inner("to")))) {
        assertThat(Await.failure(KvException.Permanent.class, request))
            .hasMessageContaining("has the layout " + WHOLE.withMapping("framed-1"))
            .hasMessageContaining("name the old side's mapping in its connection string");
      }
    }
  }

  /** Values behind a constant. */
  private static final class Framed implements Mapping {
    private static final Bytes FRAME = Bytes.utf8("framed ");

    @Override
    public String name() {
      return "framed-1";
    }

    @Override
    public String collection() {
      return LeaderlessStores.ITEMS;
    }

    @Override
    public boolean keepsOrder() {
      return true;
    }

    @Override
    public Bytes newValue(StoreKey key, Bytes value) {
      return FRAME.concat(value);
    }

    @Override
    public Bytes oldValue(StoreKey key, Bytes value) {
      return value.slice(FRAME.size(), value.size());
    }
  }

  @Test
  void step_serviceWithTheFormerModel_isRefusedNamingBothRules() {
    try (LeaderlessStores stores = new LeaderlessStores(WHOLE, SHARDED)) {
      stores.connect("deployed");
      KvCollection late = stores.connect("late", WHOLE);
      late.put(LeaderlessStores.KEY, Bytes.utf8("one"));
      Await.until("the deployed one is ready", () -> obstacle(stores, "deployed").isEmpty());
      Await.until("the late one is not", () -> obstacle(stores, "late").contains("layout"));
      Coordinator coordinator =
          Coordinator.inClockOrder(LeaderlessStores.ITEMS, stores.gate, merged -> {});
      assertThatThrownBy(() -> coordinator.moveTo(Phase.SHADOW_WRITE, Duration.ofSeconds(1)))
          .hasMessageContaining("late")
          .hasMessageContaining("has the layout " + SHARDED + ", not " + WHOLE)
          .hasMessageNotContaining("deployed");
      assertThat(late.get(LeaderlessStores.KEY)).contains(Bytes.utf8("one"));
    }
  }

  /** Returns what keeps a service from following; empty if nothing does. */
  private static String obstacle(LeaderlessStores stores, String service) {
    return join(stores.gate.instances()).stream()
        .map(Gate.Instance::report)
        .filter(report -> report.service().equals(service))
        .map(report -> report.obstacle(LeaderlessStores.ITEMS, Phase.NEW_ONLY, stores.copy))
        .map(reason -> Objects.requireNonNullElse(reason, ""))
        .findFirst()
        .orElse("no report");
  }

  @Test
  void write_serviceWithTheFormerModelThatStartsTooLate_reachesNeitherSide() {
    try (LeaderlessStores stores = new LeaderlessStores(WHOLE, SHARDED)) {
      stores.moveTo(Phase.DUAL_WRITE);
      KvCollection late = stores.connect("late", WHOLE);
      assertThatThrownBy(() -> late.put(LeaderlessStores.KEY, Bytes.utf8("one")))
          .isInstanceOf(KvException.Permanent.class)
          .hasMessageContaining("has the layout " + SHARDED + ", not " + WHOLE);
      assertThat(stores.read(stores.onOld)).isNull();
      assertThat(stores.read(stores.onNew)).isNull();
      assertThat(late.get(LeaderlessStores.KEY)).isEmpty();
    }
  }

  @Test
  void open_plainlyUnderTheOtherRule_isRefusedNamingBoth() {
    try (LeaderlessStores stores = new LeaderlessStores(WHOLE, SHARDED)) {
      assertThatThrownBy(() -> stores.connectPlainly("old", SHARDED))
          .isInstanceOf(KvException.Permanent.class)
          .hasMessageContaining("has the layout " + WHOLE + ", not " + SHARDED)
          .hasMessageContaining("it changes by a migration into another store");
      stores.moveTo(Phase.NEW_ONLY);
      assertThatThrownBy(() -> stores.connectPlainly("new", WHOLE))
          .isInstanceOf(KvException.Permanent.class)
          .hasMessageContaining("has the layout " + SHARDED + ", not " + WHOLE);
    }
  }

  @Test
  void prepare_intoAStoreThatServesTheCollection_isRefusedAndChangesNothing() {
    try (LeaderlessStores stores = new LeaderlessStores(WHOLE, SHARDED)) {
      requireRefused(stores.oldStore, "which may be the same store");
      stores.moveTo(Phase.NEW_ONLY);
      requireRefused(stores.newStore, "which may be the same store");
      Copy ofALeader = Copy.draw("log");
      String record = CollectionRecord.metadataName(LeaderlessStores.ITEMS);
      Bytes live = join(stores.oldStore.metadata().get(record));
      Bytes filled = CollectionRecord.importing(WHOLE, ofALeader).activated(7).print();
      assertThat(join(stores.oldStore.metadata().compareAndSet(record, live, filled))).isTrue();
      requireRefused(stores.oldStore, "which may be the same store");
    }
  }

  private static void requireRefused(Store store, String why) {
    Bytes before = join(store.metadata().get("moving/" + LeaderlessStores.ITEMS));
    for (Layout layout : List.of(WHOLE, SHARDED)) {
      assertThat(
              Await.failure(
                  KvException.Permanent.class,
                  () -> ClockOrder.prepare(LeaderlessStores.ITEMS, layout, store, store)))
          .hasMessageContaining("collection items is in use on ")
          .hasMessageContaining(why)
          .hasMessageContaining("into another keyspace");
    }
    assertThat(join(store.metadata().get("moving/" + LeaderlessStores.ITEMS))).isEqualTo(before);
  }
}
