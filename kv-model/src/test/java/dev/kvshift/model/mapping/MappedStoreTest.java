package dev.kvshift.model.mapping;

import static dev.kvshift.testkit.concurrent.Await.failure;
import static dev.kvshift.testkit.concurrent.Await.join;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.ShardRule;
import dev.kvshift.memory.MemoryOptions;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.model.shard.ShardDirectory;
import dev.kvshift.model.shard.ShardedStore;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class MappedStoreTest {
  private static final String ROOMS = "rooms";
  private static final Copy COPY = Copy.draw("test");
  private static final Bytes A = Bytes.utf8("a");
  private static final Bytes ONE = Bytes.utf8("1");
  private static final Layout SHARDED = Layout.range(ShardRule.firstBits(5)).withEncoding(0);
  private static final PageLimit PAGE = PageLimit.entries(100);

  /** New main keys begin with {@code room:}, new values with a word of the mapping. */
  private record Prefixed(String name, String word) implements Mapping {
    private static final Bytes ROOM = Bytes.utf8("room:");

    @Override
    public String collection() {
      return ROOMS;
    }

    @Override
    public boolean keepsOrder() {
      return true;
    }

    @Override
    public Bytes newMain(Bytes main) {
      return ROOM.concat(main);
    }

    @Override
    public Bytes oldMain(Bytes main) {
      return main.slice(ROOM.size(), main.size());
    }

    @Override
    public Bytes newValue(StoreKey key, Bytes value) {
      return Bytes.utf8(word).concat(value);
    }

    @Override
    public Bytes oldValue(StoreKey key, Bytes value) {
      return value.slice(word.length(), value.size());
    }
  }

  /** Keeps the first byte of each value. */
  private static final class Shortening implements Mapping {
    @Override
    public String name() {
      return "short-1";
    }

    @Override
    public String collection() {
      return ROOMS;
    }

    @Override
    public Bytes newValue(StoreKey key, Bytes value) {
      return value.slice(0, 1);
    }

    @Override
    public Bytes oldValue(StoreKey key, Bytes value) {
      return value;
    }
  }

  /** Gives each main key the same one. */
  private static final class Merging implements Mapping {
    @Override
    public String name() {
      return "merging-1";
    }

    @Override
    public String collection() {
      return ROOMS;
    }

    @Override
    public Bytes newMain(Bytes main) {
      return A;
    }

    @Override
    public Bytes newValue(StoreKey key, Bytes value) {
      return value;
    }

    @Override
    public Bytes oldValue(StoreKey key, Bytes value) {
      return value;
    }
  }

  private static final Mapping FIRST = new Prefixed("rooms-1", "v1:");
  private static final Mapping SECOND = new Prefixed("rooms-2", "v2:");

  private final Store raw =
      new ShardedStore(
          MemoryStoreProvider.open(
              UUID.randomUUID().toString(),
              MemoryOptions.defaults()
                  .without(Capability.LARGE_MAIN_KEYS, Capability.GATE, Capability.CHANGE_SOURCE)));
  private final Store mapped = new MappedStore(raw, List.of(FIRST));

  @AfterEach
  void close() {
    mapped.close();
  }

  private static Call call() {
    return Call.within(Duration.ofSeconds(5));
  }

  private static StoreKey key(String main, String clustering) {
    return StoreKey.of(Bytes.utf8(main), Bytes.utf8(clustering));
  }

  private static StoreCollection open(Store store, Layout layout, Claim claim) {
    return join(store.open(ROOMS, layout, claim));
  }

  private static Row get(StoreCollection collection, StoreKey key) {
    return join(collection.get(key, call()));
  }

  @Test
  void write_isHeldInNewForm_andReadInOld() {
    StoreCollection rooms = open(mapped, SHARDED, Claim.ACTIVE);
    StoreKey key = key("a", "x");
    join(rooms.write(key, Mutation.put(ONE), call()));
    assertThat(get(rooms, key).value()).isEqualTo(ONE);
    assertThat(join(rooms.range(A, Bytes.empty(), Range.all(), PAGE, call())).rows())
        .extracting(Row::key, Row::value)
        .containsExactly(tuple(key, ONE));

    StoreCollection held = open(raw, SHARDED.withMapping("rooms-1"), Claim.ACTIVE);
    assertThat(get(held, key("room:a", "x")).value()).isEqualTo(Bytes.utf8("v1:1"));
    assertThat(get(held, key)).isNull();
    join(rooms.write(key, Mutation.delete(), call()));
    assertThat(get(held, key("room:a", "x")).isTombstone()).isTrue();
  }

  @Test
  void open_withoutTheMapping_orWithAnother_isRefused() {
    open(mapped, SHARDED, Claim.ACTIVE);
    assertThat(failure(KvException.Permanent.class, () -> raw.open(ROOMS, SHARDED, Claim.ACTIVE)))
        .hasMessageContaining("has the layout range;shard=bits=5;encoding=0;mapping=rooms-1, not");
    Store other = new MappedStore(raw, List.of(SECOND));
    assertThat(failure(KvException.Permanent.class, () -> other.open(ROOMS, SHARDED, Claim.ACTIVE)))
        .hasMessageContaining("mapping=rooms-1, not")
        .hasMessageContaining("mapping=rooms-2");
  }

  @Test
  void open_ofUnmappedEntries_throughAMapping_isRefused() {
    open(raw, SHARDED, Claim.ACTIVE);
    assertThat(
            failure(KvException.Permanent.class, () -> mapped.open(ROOMS, SHARDED, Claim.ACTIVE)))
        .hasMessageContaining("has the layout range;shard=bits=5;encoding=0, not");
    assertThat(join(CollectionRecord.read(mapped.metadata(), ROOMS)).layout())
        .isEqualTo(SHARDED.withMapping("none"));
  }

  @Test
  void open_withTheLayoutOfAnotherMapping_isRefused() {
    assertThat(
            failure(
                KvException.Permanent.class,
                () -> mapped.open(ROOMS, SHARDED.withMapping("rooms-0"), Claim.ACTIVE)))
        .hasMessageContaining("is mapped by rooms-0, not by rooms-1");
  }

  @Test
  void record_hasTheLayoutOfOldEntries_throughImportAndHandOver() {
    StoreCollection rooms = open(mapped, SHARDED, Claim.importing(COPY));
    assertThat(rooms.layout()).isEqualTo(SHARDED);
    assertThat(mapped.mapping(ROOMS)).isEqualTo("rooms-1");
    assertThat(record(mapped).layout()).isEqualTo(SHARDED);
    join(CollectionRecord.openToReaders(mapped.metadata(), ROOMS, COPY));
    assertThat(record(mapped).isReadable()).isTrue();
    assertThat(join(mapped.activate(ROOMS, COPY, 7)).layout()).isEqualTo(SHARDED);
    assertThat(record(mapped).isHandedOver()).isTrue();
    assertThat(record(raw).layout()).isEqualTo(SHARDED.withMapping("rooms-1"));
  }

  private static CollectionRecord record(Store store) {
    return join(CollectionRecord.read(store.metadata(), ROOMS));
  }

  @Test
  void restart_withAnotherMapping_beginsTheNextIncarnationWithIt() {
    open(mapped, SHARDED, Claim.importing(COPY));
    Store other = new MappedStore(raw, List.of(SECOND));
    assertThat(record(other).layout()).isEqualTo(SHARDED.withMapping("rooms-1"));
    Copy next = Copy.draw("test");
    assertThat(join(other.restart(ROOMS, SHARDED, COPY, next)).layout()).isEqualTo(SHARDED);
    open(other, SHARDED, Claim.importing(next));
    assertThat(record(raw).layout()).isEqualTo(SHARDED.withMapping("rooms-2"));
    assertThat(record(raw).incarnation()).isEqualTo(2);
  }

  @Test
  void scan_givesOldRows() {
    StoreCollection rooms = open(mapped, SHARDED, Claim.ACTIVE);
    StoreKey key = key("a", "x");
    join(rooms.write(key, Mutation.put(ONE), call()));
    assertThat(scanned(rooms)).extracting(Row::key).containsExactly(key);
    assertThat(scanned(rooms)).extracting(Row::value).containsExactly(ONE);
  }

  private static List<Row> scanned(StoreCollection collection) {
    return join(collection.scanTasks(1, call())).stream()
        .flatMap(task -> scan(collection, task).stream())
        .toList();
  }

  private static List<Row> scan(StoreCollection collection, ScanTask task) {
    return join(collection.scan(task, null, PAGE, call())).rows();
  }

  @Test
  void scan_ofARowThatTheMappingDidNotMake_namesIt() {
    StoreCollection rooms = open(mapped, Layout.point(), Claim.ACTIVE);
    StoreCollection held = open(raw, Layout.point().withMapping("rooms-1"), Claim.ACTIVE);
    StoreKey foreign = key("other:a", "");
    join(held.write(foreign, Mutation.put(Bytes.utf8("v1:1")), call()));
    ScanTask task = ScanTask.of(Long.MIN_VALUE, Long.MAX_VALUE);
    assertThat(failure(KvException.Permanent.class, () -> rooms.scan(task, null, PAGE, call())))
        .hasMessageContaining(
            "collection rooms holds a row that mapping rooms-1 cannot map back, " + foreign);
  }

  @Test
  void write_ofWhatDoesNotComeBack_isRefusedBeforeItIsSent() {
    Store losing = new MappedStore(raw, List.of(new Shortening()));
    StoreCollection rooms = open(losing, Layout.point(), Claim.ACTIVE);
    StoreKey key = key("a", "");
    Mutation two = Mutation.put(Bytes.utf8("12"));
    assertThatThrownBy(() -> rooms.check(key, two))
        .isExactlyInstanceOf(KvException.InvalidArgument.class)
        .hasMessage(
            "mapping short-1 of collection rooms: the value of 2 bytes does not come back from it:"
                + " mend the mapping, or the entry");
    assertThat(failure(KvException.InvalidArgument.class, () -> rooms.write(key, two, call())))
        .hasMessageContaining("does not come back");
    assertThat(
            failure(
                KvException.InvalidArgument.class,
                () -> rooms.writeAll(Map.of(key, two), call()).get(key)))
        .hasMessageContaining("does not come back");
    assertThat(get(rooms, key)).isNull();
    join(rooms.write(key, Mutation.put(ONE), call()));
    assertThat(get(rooms, key).value()).isEqualTo(ONE);
  }

  @Test
  void keysThatBecomeOne_areRefused() {
    Store merging = new MappedStore(raw, List.of(new Merging()));
    StoreCollection rooms = open(merging, Layout.point(), Claim.ACTIVE);
    StoreKey key = key("b", "");
    assertThatThrownBy(() -> rooms.check(key, Mutation.delete()))
        .isExactlyInstanceOf(KvException.InvalidArgument.class)
        .hasMessageContaining("the main key of 1 bytes does not come back");
    assertThat(failure(KvException.InvalidArgument.class, () -> rooms.get(key, call())))
        .hasMessageContaining("does not come back");
  }

  @Test
  void directory_isFoundByOldEntries() {
    StoreCollection rooms = open(mapped, SHARDED, Claim.ACTIVE);
    StoreKey key = key("a", "x");
    join(rooms.write(key, Mutation.put(ONE), call()));
    ShardDirectory directory = join(ShardDirectory.find(mapped, ROOMS, SHARDED));
    assertThat(join(directory.lists(directory.rowOf(key), call()))).isTrue();
    assertThat(join(directory.lists(directory.rowOf(key("b", "x")), call()))).isFalse();
  }

  @Test
  void otherCollections_areAsTheyAre() {
    StoreKey key = key("a", "");
    StoreCollection users = join(mapped.open("users", Layout.point(), Claim.ACTIVE));
    join(users.write(key, Mutation.put(ONE), call()));
    StoreCollection held = join(raw.open("users", Layout.point(), Claim.ACTIVE));
    assertThat(get(held, key).value()).isEqualTo(ONE);
    assertThat(mapped.mapping("users")).isNull();
  }

  @Test
  void order_isKeptIfTheMappingSaysSo() {
    assertThat(mapped.keepsOrder(ROOMS)).isTrue();
    assertThat(mapped.keepsOrder("users")).isTrue();
    Store shortening = new MappedStore(raw, List.of(new Shortening()));
    assertThat(shortening.keepsOrder(ROOMS)).isFalse();
    assertThat(shortening.keepsOrder("users")).isTrue();
  }

  @Test
  void storeWithALeader_isRefused() {
    try (Store leader = MemoryStoreProvider.open("led-" + UUID.randomUUID())) {
      assertThatThrownBy(() -> new MappedStore(leader, List.of(FIRST)))
          .isExactlyInstanceOf(KvException.Permanent.class)
          .hasMessageContaining("has a leader");
    }
  }

  @Test
  void storeWithoutRecords_isRefused() {
    MemoryOptions options =
        MemoryOptions.defaults()
            .without(Capability.GATE, Capability.CHANGE_SOURCE, Capability.METADATA);
    try (Store bare = MemoryStoreProvider.open("bare-" + UUID.randomUUID(), options)) {
      assertThatThrownBy(() -> new MappedStore(bare, List.of(FIRST)))
          .isExactlyInstanceOf(KvException.Permanent.class)
          .hasMessageContaining("keeps no records");
    }
  }

  @Test
  void description_andFacts_nameTheMapping() {
    assertThat(mapped.description()).endsWith(" mapped by rooms-1");
    assertThat(join(mapped.facts())).containsEntry("mapping of rooms", "rooms-1");
  }

  @Test
  void mappings_wrongNames_andTwoForOneCollection_areRefused() {
    assertThatThrownBy(() -> new MappedStore(raw, List.of(FIRST, SECOND)))
        .isExactlyInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("collection rooms has two mappings, rooms-1 and rooms-2");
    assertThatThrownBy(() -> new MappedStore(raw, List.of(new Prefixed("none", ""))))
        .isExactlyInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("no mapping may be called none");
    assertThatThrownBy(() -> new MappedStore(raw, List.of(new Prefixed("Rooms;2", ""))))
        .isExactlyInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("mapping 'Rooms;2': give a letter a-z");
  }
}
