package dev.kvshift.model;

import static dev.kvshift.model.ModelDocumentTest.PACKAGE_FILES;
import static dev.kvshift.model.Values.rawBytes;
import static dev.kvshift.model.Values.text;
import static dev.kvshift.model.key.Keys.asIs;
import static dev.kvshift.model.key.Keys.bytes;
import static dev.kvshift.model.key.Keys.composite;
import static dev.kvshift.model.key.Keys.firstBits;
import static dev.kvshift.model.key.Keys.firstParts;
import static dev.kvshift.model.key.Keys.instant;
import static dev.kvshift.model.key.Keys.int64;
import static dev.kvshift.model.key.Keys.string;
import static dev.kvshift.model.key.Keys.unsharded;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.Timestamp;
import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.Outcome;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.RangePage.Stop;
import dev.kvshift.api.WriteOptions;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.model.ModelDocumentTest.FileKey;
import dev.kvshift.model.key.KeyPrefix;
import dev.kvshift.model.key.KeyRange;
import dev.kvshift.model.shard.ShardedStore;
import dev.kvshift.testkit.concurrent.Await;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ModelTest {
  record Seen(Instant at, long source) {}

  static final PointModel<Bytes, String> FILES =
      Model.point("files").key(bytes()).value(text()).expiringAfter(Duration.ofDays(1));

  static final RangeModel<Long, Seen, Bytes> NEWEST_FIRST =
      Model.range("newest-first")
          .main(int64())
          .clustering(
              composite(instant().descending(), int64()).as(Seen::new, Seen::at, Seen::source))
          .shardBy(firstParts(1))
          .value(rawBytes());

  private static final Bytes HASH = Bytes.fromHex("00ff01");

  private final ShardedStore sharded = new ShardedStore(MemoryStoreProvider.open("model-test"));
  private final KvStore store = KvStore.over(sharded);

  @AfterEach
  void close() {
    store.close();
  }

  @Test
  void layout_ofModel_isWhatStoresKeep() {
    assertThat(PACKAGE_FILES.layout()).hasToString("range;shard=bits=8;encoding=1");
    assertThat(FILES.layout()).hasToString("point;shard=none;encoding=1");
    assertThat(NEWEST_FIRST)
        .hasToString(
            "newest-first: range;shard=parts=1;encoding=1, main (int64), clustering"
                + " (instant descending, int64)");
  }

  @Test
  void layout_keysAsTheyAre_hasNoEncodingOfOurs() {
    RangeModel<Bytes, Bytes, Bytes> legacy =
        Model.range("legacy")
            .main(asIs())
            .clustering(asIs())
            .shardBy(firstBits(16))
            .value(rawBytes());
    assertThat(legacy.layout()).isEqualTo(Layout.parse("range;shard=bits=16;encoding=0"));
    assertThat(legacy.clustering().encode(HASH)).isEqualTo(HASH);
  }

  @Test
  void shardBy_morePartsThanKeysHave_isRefused() {
    var keys = Model.range("few").main(string()).clustering(string());
    assertThatThrownBy(() -> keys.shardBy(firstParts(2)))
        .isInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("clustering keys (string) have fewer than 2 parts");
  }

  @Test
  void shardBy_partsOfKeysAsTheyAre_isRefused() {
    var keys = Model.range("raw").main(asIs()).clustering(asIs());
    assertThatThrownBy(() -> keys.shardBy(firstParts(1)))
        .isInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("its keys were not encoded by kvshift and have none");
  }

  @Test
  void typedRange_putGetDelete_givesWhatWasWritten() {
    TypedRange<String, FileKey, Timestamp> files = PACKAGE_FILES.open(store);
    FileKey key = new FileKey("java/util/List.class", HASH);
    files.put("java.util", key, Timestamp.newBuilder().setSeconds(7).build());
    assertThat(files.get("java.util", key)).contains(Timestamp.newBuilder().setSeconds(7).build());
    files.delete("java.util", key);
    assertThat(files.get("java.util", key)).isEmpty();
  }

  @Test
  void typedRange_pages_goOnWhereTheyEnded() {
    TypedRange<Long, Seen, Bytes> seen = NEWEST_FIRST.open(store);
    for (int second = 0; second < 5; second++) {
      seen.put(1L, new Seen(Instant.ofEpochSecond(second), second), Bytes.utf8("s" + second));
    }
    TypedPage<Seen, Bytes> first = seen.getRange(1L, KeyRange.all(), PageLimit.entries(3));
    assertThat(first.stop()).isEqualTo(Stop.ENTRY_LIMIT);
    assertThat(first.entries())
        .extracting(entry -> entry.clustering().source())
        .containsExactly(4L, 3L, 2L);
    TypedPage<Seen, Bytes> second =
        seen.getRange(1L, KeyRange.all(), PageLimit.entries(3), first.next());
    assertThat(second.stop()).isEqualTo(Stop.END);
    assertThat(second.entries())
        .extracting(TypedEntry::value)
        .containsExactly(Bytes.utf8("s1"), Bytes.utf8("s0"));
    assertThat(
            seen.getRange(
                    1L,
                    KeyRange.<Seen>fromPrefix(
                            KeyPrefix.of(instant().descending(), Instant.ofEpochSecond(3)))
                        .throughPrefix(
                            KeyPrefix.of(instant().descending(), Instant.ofEpochSecond(1)))
                        .backward(),
                    PageLimit.entries(9))
                .entries())
        .extracting(entry -> entry.clustering().source())
        .containsExactly(1L, 2L, 3L);
  }

  @Test
  void typedRange_prefixOfText_findsExactlyThose() {
    TypedRange<String, FileKey, Timestamp> files = PACKAGE_FILES.open(store);
    for (String path : List.of("a", "ab", "abc", "b", "")) {
      files.put("main", new FileKey(path, HASH), Timestamp.getDefaultInstance());
    }
    assertThat(
            files
                .getRange(
                    "main",
                    KeyRange.prefix(KeyPrefix.beginning(string(), "ab")),
                    PageLimit.entries(9))
                .entries())
        .extracting(entry -> entry.clustering().path())
        .containsExactly("ab", "abc");
    assertThat(
            files
                .getRange(
                    "main", KeyRange.prefix(KeyPrefix.of(string(), "ab")), PageLimit.entries(9))
                .entries())
        .extracting(entry -> entry.clustering().path())
        .containsExactly("ab");
  }

  @Test
  void keyRange_prefixOfOtherParts_isRefused() {
    KeyRange<FileKey> range = KeyRange.prefix(KeyPrefix.of(int64(), 7L));
    assertThatThrownBy(() -> range.encode(PACKAGE_FILES.clustering()))
        .isInstanceOf(KvException.Permanent.class)
        .hasMessage(
            "a prefix of the parts [int64] does not fit keys of the parts [string, bytes]: form it"
                + " with the model's formats");
  }

  @Test
  void typedPoint_multiKey_givesEachItsOutcome() {
    TypedPoint<Bytes, String> files = FILES.open(store);
    files.putAll(Map.of(Bytes.utf8("a"), "one", Bytes.utf8("b"), "two"));
    assertThat(files.getAll(List.of(Bytes.utf8("a"), Bytes.utf8("c"))))
        .containsExactly(
            Map.entry(Bytes.utf8("a"), Outcome.ok(Optional.of("one"))),
            Map.entry(Bytes.utf8("c"), Outcome.ok(Optional.empty())));
  }

  @Test
  void typedPoint_async_completesWithTheValue() {
    TypedPoint<Bytes, String> files = FILES.open(store);
    Optional<String> read =
        Await.join(
            files
                .async()
                .put(HASH, "value", WriteOptions.none())
                .thenCompose(done -> files.async().get(HASH)));
    assertThat(read).contains("value");
  }

  @Test
  void get_valueThatIsNoMessage_namesCollectionAndKey() {
    TypedRange<String, FileKey, Timestamp> files = PACKAGE_FILES.open(store);
    FileKey key = new FileKey("p", HASH);
    store
        .collection("package-files", PACKAGE_FILES.layout())
        .put(
            Key.of(string().encode("m"), PACKAGE_FILES.clustering().encode(key)),
            Bytes.fromHex("ff"));
    assertThatThrownBy(() -> files.get("m", key))
        .isInstanceOf(KvException.Permanent.class)
        .hasMessage(
            "collection package-files, main 036d00, clustering 03700002010"
                + "1ff010200: its value of 1 bytes is not what the model declares: check the"
                + " model");
  }

  @Test
  void getRange_entriesThatAreNotTheModels_failAloneWhenTheyAreAskedFor() {
    TypedRange<String, FileKey, Timestamp> files = PACKAGE_FILES.open(store);
    Timestamp seen = Timestamp.newBuilder().setSeconds(7).build();
    FileKey good = new FileKey("b", HASH);
    FileKey noMessage = new FileKey("a", HASH);
    Bytes noKey = Bytes.fromHex("03ffff");
    KvCollection raw = store.collection("package-files", PACKAGE_FILES.layout());
    files.put("m", good, seen);
    raw.put(
        Key.of(string().encode("m"), PACKAGE_FILES.clustering().encode(noMessage)),
        Bytes.fromHex("ff"));
    raw.put(Key.of(string().encode("m"), noKey), Bytes.of(seen.toByteArray()));
    List<TypedEntry<FileKey, Timestamp>> entries =
        files.getRange("m", KeyRange.all(), PageLimit.entries(9)).entries();
    assertThat(entries).hasSize(3).element(1).isEqualTo(TypedEntry.of(good, seen));
    assertThat(entries.get(0).clustering()).isEqualTo(noMessage);
    assertThatThrownBy(() -> entries.get(0).value())
        .isExactlyInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("its value of 1 bytes is not what the model declares");
    assertThat(entries.get(2).value()).isEqualTo(seen);
    assertThatThrownBy(() -> entries.get(2).clustering())
        .isExactlyInstanceOf(KvException.Permanent.class)
        .hasMessage(
            "collection package-files, main 036d00, clustering 03ffff: its clustering key is not"
                + " what the model declares: check the model");
  }

  @Test
  void open_unsharded_hasNoDirectory() {
    Model.range("plain")
        .main(string())
        .clustering(string())
        .shardBy(unsharded())
        .value(text())
        .open(store)
        .put("m", "c", "v");
    assertThat(Await.<@Nullable Bytes>join(sharded.metadata().get("collection/plain"))).isNotNull();
    assertThat(Await.<@Nullable Bytes>join(sharded.metadata().get("collection/plain_shards")))
        .isNull();
  }
}
