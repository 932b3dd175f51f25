package dev.kvshift.legacy.server;

import static dev.kvshift.legacy.server.Stores.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.RangePage.Stop;
import dev.kvshift.api.ShardRule;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.ChangeSource;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.RowPage;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.StalePhase;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests of the store inside the process. The subclass runs them over the network. */
class LegacyStoreTest {
  @TempDir Path directory;
  private Store store;
  private StoreCollection collection;

  @BeforeEach
  void open() {
    store = Stores.open(connectionString());
    collection = await(store.open("files", Layout.range(ShardRule.none()), Claim.ACTIVE));
  }

  String connectionString() {
    return "legacy+file://" + directory.resolve("store") + "?partitions=8";
  }

  @AfterEach
  void close() {
    store.close();
  }

  private static Call call() {
    return Call.within(Duration.ofSeconds(10));
  }

  private static StoreKey key(String main, String clustering) {
    return StoreKey.of(Bytes.utf8(main), Bytes.utf8(clustering));
  }

  private long put(String main, String clustering, String value) {
    return await(collection.write(key(main, clustering), Mutation.put(Bytes.utf8(value)), call()));
  }

  @Test
  void get_writtenRow_givesItWithItsVersion() {
    long version = put("m", "c", "v");

    Row row = await(collection.get(key("m", "c"), call()));

    assertThat(row).isEqualTo(Row.of(key("m", "c"), version, Bytes.utf8("v"), null));
    assertThat(await(collection.get(key("m", "d"), call()))).isNull();
  }

  @Test
  void get_deletedRow_givesTombstoneWithItsVersion() {
    put("m", "c", "v");
    long version = await(collection.write(key("m", "c"), Mutation.delete(), call()));

    assertThat(await(collection.get(key("m", "c"), call())))
        .isEqualTo(Row.tombstone(key("m", "c"), version));
  }

  @Test
  void write_olderVersion_staysWithoutEffect() {
    Mutation newer = Mutation.put(Bytes.utf8("newer")).withVersion(200L);
    Mutation older = Mutation.put(Bytes.utf8("older")).withVersion(100L);
    await(collection.write(key("m", "c"), newer, call()));
    await(collection.write(key("m", "c"), older, call()));

    assertThat(await(collection.get(key("m", "c"), call())))
        .isEqualTo(Row.of(key("m", "c"), 200, Bytes.utf8("newer"), null));
    assertThat(await(collection.changes().window())).isEqualTo(ChangeSource.Window.of(1, 1));
  }

  @Test
  void range_pagesInBothDirections_giveAllInOrder() {
    for (String clustering : List.of("10", "20", "30", "40", "50")) {
      put("m", clustering, "v" + clustering);
    }
    put("m\0", "99", "other");
    put("l", "99", "other");

    assertThat(walk(Range.all(), 2)).containsExactly("10", "20", "30", "40", "50");
    assertThat(walk(Range.all().backward(), 2)).containsExactly("50", "40", "30", "20", "10");
    Range middle = Range.of(Bytes.utf8("20"), Bytes.utf8("40"));
    assertThat(walk(middle, 10)).containsExactly("20", "30");
    assertThat(walk(middle.backward(), 1)).containsExactly("30", "20");
  }

  private List<String> walk(Range range, int entries) {
    List<String> found = new ArrayList<>();
    Range rest = range;
    while (true) {
      RowPage page =
          await(
              collection.range(
                  Bytes.utf8("m"), Bytes.empty(), rest, PageLimit.entries(entries), call()));
      page.rows().forEach(row -> found.add(row.key().clustering().toUtf8()));
      if (page.stop() == Stop.END) {
        return found;
      }
      rest = rest.beyond(page.passed());
    }
  }

  @Test
  void scan_allTasks_giveEveryRowOnce() {
    List<StoreKey> written = new ArrayList<>();
    for (int i = 0; i < 500; i++) {
      put("m" + i, "c\0" + i, "v");
      written.add(key("m" + i, "c\0" + i));
    }

    List<StoreKey> found = new ArrayList<>();
    for (ScanTask task : await(collection.scanTasks(8, call()))) {
      Bytes position = null;
      do {
        ScanPage page = await(collection.scan(task, position, PageLimit.entries(7), call()));
        for (Row row : page.rows()) {
          assertThat(task.contains(collection.token(row.key()))).isTrue();
          found.add(row.key());
        }
        position = page.next();
      } while (position != null);
    }

    assertThat(found).containsExactlyInAnyOrderElementsOf(written);
  }

  @Test
  void changes_afterWrites_areDenseAndInOrder() {
    CompletionStage<ChangeSource.Batch> waiting =
        collection.changes().read(0, 1 << 20, Duration.ofSeconds(10));
    long first = put("m", "1", "v1");
    assertThat(await(waiting))
        .isEqualTo(
            ChangeSource.Data.of(
                List.of(
                    ChangeSource.Change.of(
                        1, Row.of(key("m", "1"), first, Bytes.utf8("v1"), null))),
                1));
    long second = await(collection.write(key("m", "1"), Mutation.delete(), call()));
    assertThat(await(collection.changes().read(1, 1 << 20, Duration.ZERO)))
        .isEqualTo(
            ChangeSource.Data.of(
                List.of(ChangeSource.Change.of(2, Row.tombstone(key("m", "1"), second))), 2));
    assertThat(await(collection.changes().read(2, 1 << 20, Duration.ofMillis(20))))
        .isEqualTo(ChangeSource.Data.of(List.of(), 2));
  }

  @Test
  void move_whileWritesWait_refusesThemWithTheNewPhase() {
    put("m", "1", "v1");
    Gate.Fence fence = await(collection.gate().fence("try-1", Duration.ofSeconds(30)));
    CompletionStage<Long> waiting =
        collection.write(key("m", "2"), Mutation.put(Bytes.utf8("late")), call());
    assertThat(await(collection.get(key("m", "1"), call()))).isNotNull();

    Gate.State moved = await(collection.gate().move("try-1"));

    assertThat(moved.phase()).isEqualTo(Phase.NEW_ONLY);
    assertThat(moved.epoch()).isEqualTo(1);
    assertThat(moved.floor()).isEqualTo(fence.version());
    assertThatThrownBy(() -> await(waiting))
        .isInstanceOfSatisfying(
            StalePhase.class, stale -> assertThat(stale.floor()).isEqualTo(fence.version()));
    assertThatThrownBy(() -> await(collection.get(key("m", "1"), call())))
        .isInstanceOf(StalePhase.class);
    assertThat(await(collection.get(key("m", "1"), call().withEpoch(1)))).isNotNull();
    assertThat(await(collection.changes().read(1, 1 << 20, Duration.ZERO)))
        .isEqualTo(ChangeSource.Fenced.of(fence));
    assertThat(await(collection.gate().move("try-1"))).isEqualTo(moved);
  }

  @Test
  void lift_whileWritesWait_letsThemRunAfterTheLift() {
    await(collection.gate().fence("try-1", Duration.ofSeconds(30)));
    CompletionStage<Long> waiting =
        collection.write(key("m", "2"), Mutation.put(Bytes.utf8("late")), call());
    await(collection.gate().lift("try-1"));

    long version = await(waiting);

    assertThat(await(collection.changes().read(1, 1 << 20, Duration.ZERO)))
        .isEqualTo(ChangeSource.Lifted.of("try-1", 2));
    assertThat(await(collection.changes().read(2, 1 << 20, Duration.ZERO)))
        .isEqualTo(
            ChangeSource.Data.of(
                List.of(
                    ChangeSource.Change.of(
                        3, Row.of(key("m", "2"), version, Bytes.utf8("late"), null))),
                3));
    assertThatThrownBy(() -> await(collection.gate().move("try-1")))
        .isInstanceOf(KvException.Permanent.class);
  }

  @Test
  void write_atFenceUntilItsDeadline_failsAsFenced() {
    await(collection.gate().fence("try-1", Duration.ofSeconds(30)));

    CompletionStage<Long> waiting =
        collection.write(
            key("m", "2"), Mutation.put(Bytes.utf8("late")), Call.within(Duration.ofSeconds(2)));

    assertThatThrownBy(() -> await(waiting)).isInstanceOf(KvException.CollectionFenced.class);
    await(collection.gate().lift("try-1"));
    assertThat(await(collection.get(key("m", "2"), call()))).isNull();
  }

  @Test
  void close_whileRequestsWait_endsThemWithAnError() {
    await(collection.gate().fence("try-1", Duration.ofSeconds(30)));
    CompletionStage<Long> write =
        collection.write(key("m", "2"), Mutation.put(Bytes.utf8("late")), call());
    CompletionStage<ChangeSource.Batch> read =
        collection.changes().read(1, 1 << 20, Duration.ofSeconds(30));
    assertThat(await(collection.gate().state()).fence()).isNotNull();
    store.close();

    assertThatThrownBy(() -> await(write))
        .isInstanceOfAny(KvException.UnknownOutcome.class, KvException.Transient.class);
    assertThatThrownBy(() -> await(read)).isInstanceOf(KvException.class);
    assertThatThrownBy(() -> await(collection.get(key("m", "1"), call())))
        .isInstanceOf(KvException.Permanent.class);
  }

  @Test
  void compareAndSet_raisedAcceptMin_refusesOlderEpochs() {
    Gate.State first = await(collection.gate().state());
    Gate.State next =
        Gate.State.first()
            .withEpoch(1)
            .withPhase(Phase.SHADOW_WRITE)
            .withAcceptMin(1)
            .withIncarnation(first.incarnation());

    assertThat(await(collection.gate().compareAndSet(first, next))).isTrue();
    assertThat(await(collection.gate().compareAndSet(first, next))).isFalse();

    assertThatThrownBy(() -> put("m", "c", "v"))
        .isInstanceOfSatisfying(StalePhase.class, stale -> assertThat(stale.epoch()).isEqualTo(1));
    await(collection.write(key("m", "c"), Mutation.put(Bytes.utf8("v")), call().withEpoch(1)));
  }

  @Test
  void reassert_tombstoneAndValue_getNewVersionsAboveTheGivenOne() {
    long first = put("m", "c", "v");
    Row value = await(collection.gate().reassert(key("m", "c"), first + 1_000));
    Row absent = await(collection.gate().reassert(key("m", "d"), value.version()));

    assertThat(value.version()).isGreaterThan(first + 1_000);
    assertThat(value.value()).isEqualTo(Bytes.utf8("v"));
    assertThat(absent.version()).isGreaterThan(value.version());
    assertThat(absent.isTombstone()).isTrue();
    assertThat(await(collection.get(key("m", "c"), call()))).isEqualTo(value);
  }

  @Test
  void register_instance_isListedWithItsAcknowledgedEpoch() {
    Gate.State state = await(collection.gate().register("instance-1", 0));

    assertThat(state.phase()).isEqualTo(Phase.LEGACY);
    assertThat(await(collection.gate().instances()))
        .singleElement()
        .satisfies(
            instance -> {
              assertThat(instance.name()).isEqualTo("instance-1");
              assertThat(instance.acknowledged()).isZero();
            });
  }

  @Test
  void consumed_namedConsumer_isToldHowLongItsChangesAreKept() {
    put("m", "1", "v1");
    put("m", "2", "v2");

    Duration left = await(collection.changes().consumed("runner", 1));

    assertThat(left).isBetween(Duration.ofDays(6), Duration.ofDays(7));
    assertThatThrownBy(() -> await(collection.changes().consumed("runner", 3)))
        .isInstanceOf(KvException.Permanent.class);
    await(collection.changes().forget("runner"));
    await(collection.changes().forget("runner"));
  }

  @Test
  void drop_tableOfALockSpace_isPermanent() {
    await(store.locks("stock").gate());

    assertThatThrownBy(() -> await(store.drop("locks:stock", 1)))
        .isInstanceOf(KvException.Permanent.class);
  }
}
