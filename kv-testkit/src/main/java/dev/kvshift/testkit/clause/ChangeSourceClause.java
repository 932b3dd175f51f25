package dev.kvshift.testkit.clause;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.spi.ChangeSource;
import dev.kvshift.spi.ChangeSource.Batch;
import dev.kvshift.spi.ChangeSource.Change;
import dev.kvshift.spi.ChangeSource.Data;
import dev.kvshift.spi.ChangeSource.Window;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.testkit.concurrent.Await;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Reading the committed changes of a collection in commit order. */
@Needs(Capability.CHANGE_SOURCE)
public abstract class ChangeSourceClause extends Clause {
  private static final int PLENTY = 1 << 20;
  private static final Duration ENDS_WITHIN = Duration.ofSeconds(5);

  @Test
  void logId_sameLog_staysTheSame() {
    StoreCollection collection = fresh(pointLayout());
    String origin = join(collection.changes().logId(0));
    assertThat(origin).matches("[!-~]{1,128}");
    write(collection, freshKey(), Mutation.put(hex("01")));
    String first = join(collection.changes().logId(1));
    write(collection, freshKey(), Mutation.put(hex("02")));
    assertThat(join(collection.changes().logId(0))).isEqualTo(origin);
    assertThat(join(collection.changes().logId(1))).isEqualTo(first);
  }

  @Test
  void logId_otherLog_isAnother() {
    StoreCollection one = fresh(pointLayout());
    StoreCollection two = fresh(pointLayout());
    write(one, freshKey(), Mutation.put(hex("01")));
    write(two, freshKey(), Mutation.put(hex("01")));
    assertThat(join(one.changes().logId(0))).isNotEqualTo(join(two.changes().logId(0)));
    assertThat(join(one.changes().logId(1))).isNotEqualTo(join(two.changes().logId(1)));
    assertPermanent(() -> one.changes().logId(2));
    assertPermanent(() -> one.changes().logId(-1));
  }

  @Test
  void read_newCollection_isEmpty() {
    ChangeSource changes = fresh(pointLayout()).changes();
    assertThat(join(changes.read(0, PLENTY, Duration.ZERO))).isEqualTo(Data.of(List.of(), 0));
    assertThat(join(changes.window())).isEqualTo(Window.of(1, 0));
  }

  @Test
  void read_writesAndDeletes_areGivenInCommitOrder() {
    StoreCollection collection = fresh(pointLayout());
    List<Change> expected = written(collection, 10);
    StoreKey key = expected.get(3).row().key();
    long version = write(collection, key, Mutation.delete());
    expected.add(Change.of(11, Row.tombstone(key, version)));
    assertThat(readAll(collection, 0, PLENTY)).isEqualTo(expected);
    assertThat(join(collection.changes().window())).isEqualTo(Window.of(1, 11));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 100, 1_000, PLENTY})
  void read_anyBatchSize_givesEveryChangeOnce(int maxBytes) {
    StoreCollection collection = fresh(pointLayout());
    List<Change> expected = written(collection, 40);
    assertThat(readAll(collection, 0, maxBytes)).isEqualTo(expected);
  }

  @Test
  void read_largeChanges_batchesKeepTheirSizeUnlessOneIsLarger() {
    StoreCollection collection = fresh(pointLayout());
    for (int i = 0; i < 20; i++) {
      write(collection, freshKey(), Mutation.put(Bytes.of(new byte[i == 9 ? 5_000 : 300])));
    }
    long position = 0;
    while (position < 20) {
      Data batch = (Data) join(collection.changes().read(position, 1_000, Duration.ZERO));
      int bytes = 0;
      for (Change change : batch.changes()) {
        bytes += Objects.requireNonNull(change.row().value()).size();
      }
      assertThat(bytes <= 1_000 || batch.changes().size() == 1).isTrue();
      assertThat(batch.position()).isGreaterThan(position);
      position = batch.position();
    }
  }

  @Test
  void read_fromEveryPosition_givesWhatFollows() {
    StoreCollection collection = fresh(pointLayout());
    List<Change> expected = written(collection, 12);
    for (int after = 0; after <= 12; after++) {
      assertThat(readAll(collection, after, PLENTY)).isEqualTo(expected.subList(after, 12));
    }
  }

  @Test
  void read_samePositionAgain_givesTheSame() {
    StoreCollection collection = fresh(pointLayout());
    written(collection, 10);
    Batch first = join(collection.changes().read(4, PLENTY, Duration.ZERO));
    assertThat(join(collection.changes().read(4, PLENTY, Duration.ZERO))).isEqualTo(first);
  }

  @Test
  void read_oneKeyOverwritten_givesEachVersion() {
    StoreCollection collection = fresh(pointLayout());
    StoreKey key = freshKey();
    List<Change> expected = new ArrayList<>();
    for (int i = 1; i <= 5; i++) {
      Bytes value = Bytes.of((byte) i);
      long version = write(collection, key, Mutation.put(value));
      expected.add(Change.of(i, Row.of(key, version, value, null)));
    }
    assertThat(readAll(collection, 0, PLENTY)).isEqualTo(expected);
  }

  @Test
  @Needs({Capability.CHANGE_SOURCE, Capability.EXPIRY})
  void read_expiringWrite_carriesItsExpiry() {
    StoreCollection collection = fresh(pointLayout());
    StoreKey key = freshKey();
    Instant expiry = expiryIn(Duration.ofHours(1)).plusMillis(3);
    long version = write(collection, key, expiring(expiry));
    assertThat(readAll(collection, 0, PLENTY))
        .containsExactly(Change.of(1, Row.of(key, version, hex("01"), expiry)));
  }

  @Test
  @Needs({Capability.CHANGE_SOURCE, Capability.VERSIONED_WRITES})
  void read_versionedWrite_isAChangeOnlyWhereItHadEffect() {
    StoreCollection collection = fresh(pointLayout());
    StoreKey key = freshKey();
    long version = versionAgo(Duration.ofMinutes(1));
    write(collection, key, Mutation.put(hex("01")).withVersion(version));
    write(collection, key, Mutation.put(hex("01")).withVersion(version));
    write(collection, key, Mutation.put(hex("02")).withVersion(version - 1));
    write(collection, key, Mutation.put(hex("03")).withVersion(version + 1));
    assertThat(readAll(collection, 0, PLENTY))
        .containsExactly(
            Change.of(1, Row.of(key, version, hex("01"), null)),
            Change.of(2, Row.of(key, version + 1, hex("03"), null)));
  }

  @Test
  void read_versions_riseWithPositions() {
    StoreCollection collection = fresh(pointLayout());
    List<CompletionStage<Long>> writes = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      writes.add(collection.write(freshKey(), Mutation.put(hex("01")), call()));
    }
    Set<Long> versions = new HashSet<>();
    writes.forEach(write -> versions.add(join(write)));
    List<Change> changes = readAll(collection, 0, 2_000);
    assertThat(changes).hasSize(200);
    for (int i = 0; i < changes.size(); i++) {
      assertThat(changes.get(i).position()).isEqualTo(i + 1L);
      assertThat(versions).contains(changes.get(i).row().version());
      if (i > 0) {
        assertThat(changes.get(i).row().version())
            .isGreaterThan(changes.get(i - 1).row().version());
      }
    }
  }

  @Test
  void read_atTheEnd_waitsForTheNextChange() {
    StoreCollection collection = fresh(pointLayout());
    written(collection, 3);
    CompletableFuture<Batch> waiting =
        collection.changes().read(3, PLENTY, Await.LONGEST).toCompletableFuture();
    assertThat(waiting).isNotDone();
    StoreKey key = freshKey();
    long version = write(collection, key, Mutation.put(hex("01")));
    assertThat(join(waiting))
        .isEqualTo(Data.of(List.of(Change.of(4, Row.of(key, version, hex("01"), null))), 4));
  }

  @Test
  void read_atTheEnd_isEmptyOnceTheWaitIsOver() {
    StoreCollection collection = fresh(pointLayout());
    written(collection, 3);
    assertThat(join(collection.changes().read(3, PLENTY, Duration.ofMillis(50))))
        .isEqualTo(Data.of(List.of(), 3));
  }

  @Test
  void read_waitingWhenTheStoreIsClosed_ends() {
    StoreCollection collection = fresh(pointLayout());
    Store other = tested().fixture.open();
    ChangeSource changes =
        join(other.open(collection.name(), pointLayout(), Claim.ACTIVE)).changes();
    CompletableFuture<Batch> waiting = changes.read(0, PLENTY, Await.LONGEST).toCompletableFuture();
    other.close();
    Await.until("the waiting read ends", ENDS_WITHIN, waiting::isDone);
    KvException error = Await.failure(() -> waiting);
    assertThat(error).isInstanceOfAny(KvException.Transient.class, KvException.Permanent.class);
    assertPermanent(() -> changes.read(0, PLENTY, Duration.ZERO));
    assertPermanent(changes::window);
  }

  @Test
  void read_anotherConnection_seesTheSame() {
    StoreCollection collection = fresh(pointLayout());
    List<Change> expected = written(collection, 5);
    try (Store other = tested().fixture.open()) {
      StoreCollection there = join(other.open(collection.name(), pointLayout(), Claim.ACTIVE));
      assertThat(readAll(there, 0, PLENTY)).isEqualTo(expected);
    }
  }

  @Test
  void read_twoCollections_haveTheirOwnPositions() {
    StoreCollection one = fresh(pointLayout());
    StoreCollection two = fresh(pointLayout());
    List<Change> first = written(one, 3);
    List<Change> second = written(two, 2);
    assertThat(readAll(one, 0, PLENTY)).isEqualTo(first);
    assertThat(readAll(two, 0, PLENTY)).isEqualTo(second);
  }

  @Test
  void read_positionNeverGiven_isPermanent() {
    StoreCollection collection = fresh(pointLayout());
    written(collection, 3);
    assertPermanent(() -> collection.changes().read(4, PLENTY, Duration.ZERO));
    assertPermanent(() -> collection.changes().read(-1, PLENTY, Duration.ZERO));
  }

  @Test
  @Needs({Capability.CHANGE_SOURCE, Capability.RANGES})
  void read_rangeCollection_carriesWholeKeys() {
    StoreCollection collection = fresh(rangeLayout());
    StoreKey key = StoreKey.of(freshMain(), hex("00ff"));
    long version = write(collection, key, Mutation.put(hex("01")));
    assertThat(readAll(collection, 0, PLENTY))
        .containsExactly(Change.of(1, Row.of(key, version, hex("01"), null)));
  }

  @Test
  @Needs({Capability.CHANGE_SOURCE, Capability.CHANGE_CONSUMERS})
  void consumed_anyPosition_tellsHowLongTheNextChangeIsRetained() {
    StoreCollection collection = fresh(pointLayout());
    assertThat(join(collection.changes().consumed("runner", 0))).isPositive();
    List<Change> expected = written(collection, 3);
    for (long upTo : new long[] {0, 1, 3, 2}) {
      assertThat(join(collection.changes().consumed("runner", upTo))).isPositive();
    }
    assertThat(readAll(collection, 0, PLENTY)).isEqualTo(expected);
  }

  @Test
  @Needs({Capability.CHANGE_SOURCE, Capability.CHANGE_CONSUMERS})
  void consumed_positionNeverGiven_isPermanent() {
    StoreCollection collection = fresh(pointLayout());
    written(collection, 2);
    assertPermanent(() -> collection.changes().consumed("runner", 3));
    assertPermanent(() -> collection.changes().consumed("runner", -1));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 129})
  @Needs({Capability.CHANGE_SOURCE, Capability.CHANGE_CONSUMERS})
  void consumed_nameOfTheWrongLength_isPermanent(int length) {
    StoreCollection collection = fresh(pointLayout());
    assertPermanent(() -> collection.changes().consumed("r".repeat(length), 0));
  }

  @Test
  @Needs({Capability.CHANGE_SOURCE, Capability.CHANGE_CONSUMERS})
  void consumed_oneTooMany_isPermanentUntilOneIsForgotten() {
    ChangeSource changes = fresh(pointLayout()).changes();
    for (int i = 0; i < 64; i++) {
      join(changes.consumed("runner-" + i, 0));
    }
    assertPermanent(() -> changes.consumed("another", 0));
    assertThat(join(changes.consumed("runner-7", 0))).isPositive();
    join(changes.forget("runner-7"));
    assertThat(join(changes.consumed("another", 0))).isPositive();
    assertPermanent(() -> changes.consumed("runner-7", 0));
  }

  @Test
  @Needs({Capability.CHANGE_SOURCE, Capability.CHANGE_CONSUMERS})
  void forget_nobody_succeeds() {
    ChangeSource changes = fresh(pointLayout()).changes();
    assertThat(join(changes.forget("nobody"))).isNull();
  }

  private static List<Change> written(StoreCollection collection, int count) {
    List<Change> changes = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      StoreKey key = freshKey();
      Bytes value = Bytes.of((byte) i);
      long version = write(collection, key, Mutation.put(value));
      changes.add(Change.of(i + 1L, Row.of(key, version, value, null)));
    }
    return changes;
  }

  private static List<Change> readAll(StoreCollection collection, long after, int maxBytes) {
    List<Change> changes = new ArrayList<>();
    long position = after;
    while (true) {
      Batch batch = join(collection.changes().read(position, maxBytes, Duration.ZERO));
      if (!(batch instanceof Data data)) {
        throw new AssertionError("the changes show no fence: " + batch);
      }
      if (data.changes().isEmpty()) {
        assertThat(data.position()).isEqualTo(position);
        return changes;
      }
      changes.addAll(data.changes());
      position = data.position();
    }
  }
}
