package dev.kvshift.migrate;

import static dev.kvshift.testkit.concurrent.Await.join;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.ShardRule;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.MigrationOptions;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.ledger.ResetRecord;
import dev.kvshift.model.shard.ShardedStore;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Gate.State;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.VersionClock;
import dev.kvshift.transition.MetadataGate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A reset without a leader proves both sides before it deletes, and is resumed after a crash. */
final class ClockResetTest {
  private static final int ROWS = 50;
  private static final Layout WHOLE = Layout.range(ShardRule.none());
  private static final Layout SHARDED = Layout.range(ShardRule.firstBits(4));

  private final String name = UUID.randomUUID().toString();
  private final Store source = store("source");
  private final Store target = store("target");
  private final MetadataGate gate = MetadataGate.of(target, Sides.COLLECTION);
  private final Ledger ledger =
      new Ledger(target.metadata(), Sides.COLLECTION, Duration.ofSeconds(30), Clock.systemUTC());

  ClockResetTest() {
    StoreCollection from = join(source.open(Sides.COLLECTION, WHOLE, Claim.ACTIVE));
    long version = VersionClock.micros(Instant.now().minusSeconds(60));
    for (int i = 0; i < ROWS; i++) {
      Mutation put = Mutation.put(Bytes.utf8("value")).withVersion(version + i);
      join(from.write(Sides.key(i), put, Sides.call()));
    }
  }

  @AfterEach
  void close() {
    source.close();
    target.close();
  }

  @Test
  void reset_backInLegacy_isPreparedAnewUnderAnotherLayout() {
    ClockMigration first = migration(WHOLE, target);
    first.step(Phase.DUAL_WRITE);
    first.verify();
    Copy former = copy();
    assertRefused(first, "services write to the target, too: it is in phase dual-write");
    first.rollBack();
    assertThat(first.previewReset())
        .containsExactly(
            "incarnation 1 of the collection on the target", "the records of copy " + former);
    assertThat(copy()).isEqualTo(former);

    assertThat(first.reset(false)).hasSize(2);

    assertThat(state().copy()).isNull();
    assertRefused(first, "it is not prepared, so there is nothing to wipe");
    ClockMigration second = migration(SHARDED, target);
    second.step(Phase.DUAL_WRITE);
    assertThat(second.verify().toNew()).isEqualTo(ROWS);
    CollectionRecord record = record();
    assertThat(record.layout()).isEqualTo(SHARDED);
    assertThat(record.copy()).isEqualTo(copy()).isNotEqualTo(former);
    second.step(Phase.NEW_ONLY);
    assertRefused(second, "it has moved");
  }

  @Test
  void reset_killedAtAnyRequest_isCompletedByTheNext() {
    int completed = 0;
    for (int kill = 1; completed == 0; kill++) {
      migration(WHOLE, target).prepare();
      Copy former = copy();
      AtomicInteger left = new AtomicInteger(kill);
      Store dying =
          Intercepted.of(
              target,
              (type, method, arguments, request) ->
                  left.decrementAndGet() <= 0
                      ? CompletableFuture.failedFuture(new KvException.Permanent("killed"))
                      : request.send());
      try {
        migration(WHOLE, dying).reset(false);
        completed = kill;
      } catch (KvException.Permanent e) {
        assertThat(e).hasMessageContaining("killed");
      }
      boolean hasBegun = ledger.get(ResetRecord.KEY) != null;
      if (hasBegun) {
        assertThatThrownBy(() -> migration(WHOLE, target).prepare())
            .isInstanceOf(MigrationException.CutoverRefused.class)
            .hasMessageContaining("is being wiped, and that has not ended");
      }
      if (hasBegun || former.equals(state().copy())) {
        migration(WHOLE, target).reset(true);
      }
      assertThat(state().copy()).isNull();
      assertThat(record().copy()).isNotEqualTo(former);
      assertThat(ledger.get(ResetRecord.KEY)).isNull();
    }
    assertThat(completed).isGreaterThan(8);
    ClockMigration last = migration(WHOLE, target);
    last.step(Phase.DUAL_WRITE);
    assertThat(last.verify().toNew()).isEqualTo(ROWS);
  }

  @Test
  void reset_anotherRunIsAboutToStep_keepsItInLegacy() {
    ClockMigration other = migration(WHOLE, target);
    other.prepare();
    State read = state();
    migration(WHOLE, target).reset(false);
    State next = read.withEpoch(read.epoch() + 1).withPhase(Phase.SHADOW_WRITE);
    assertThat(join(gate.compareAndSet(read, next.withAcceptMin(read.epoch())))).isFalse();
    assertThatThrownBy(() -> other.step(Phase.SHADOW_WRITE))
        .isInstanceOf(MigrationException.CutoverRefused.class)
        .hasMessageContaining("was wiped meanwhile, or prepared anew");
    assertThat(state().phase()).isEqualTo(Phase.LEGACY);
  }

  @Test
  void reset_anotherHasDoneItMeanwhile_leavesNothingBehind() {
    for (String request : List.of("migration/files/reset", "gate/files", "restart")) {
      migration(WHOLE, target).prepare();
      Copy former = copy();
      AtomicBoolean isFirst = new AtomicBoolean(true);
      Store slow =
          Intercepted.of(
              target,
              (type, method, arguments, sent) -> {
                boolean isAsked =
                    method.equals(request)
                        || (method.equals("compareAndSet") && arguments[0].equals(request));
                if (isAsked && isFirst.compareAndSet(true, false)) {
                  migration(WHOLE, target).reset(false);
                  migration(WHOLE, target).prepare();
                }
                return sent.send();
              });

      assertThatThrownBy(() -> migration(WHOLE, slow).reset(false))
          .as(request)
          .hasMessageContaining("was wiped by another reset meanwhile");

      assertThat(isFirst).as(request).isFalse();
      assertThat(ledger.get(ResetRecord.KEY)).isNull();
      assertThat(copy()).isNotEqualTo(former);
      migration(WHOLE, target).reset(false);
    }
  }

  @Test
  void reset_lastStepBackIsNotComplete_waitsForTheRollback() {
    ClockMigration migration = migration(WHOLE, target);
    migration.step(Phase.SHADOW_WRITE);
    State state = state();
    State back = state.withEpoch(state.epoch() + 1).withPhase(Phase.LEGACY);
    assertThat(join(gate.compareAndSet(state, back.withAcceptMin(state.epoch())))).isTrue();
    assertRefused(migration, "its last step is not complete");
    assertThat(migration.rollBack()).isEqualTo(Phase.LEGACY);
    assertThat(migration.reset(false)).hasSize(2);
  }

  @Test
  void reset_targetHoldsAnotherCopy_deletesNothing() {
    ClockMigration migration = migration(WHOLE, target);
    migration.step(Phase.DUAL_WRITE);
    migration.verify();
    migration.rollBack();
    State state = state();
    Copy other = Copy.draw("another");
    join(gate.compareAndSet(state, state.withCopy(other)));
    assertRefused(migration, "the copy on the target is ");
    StoreCollection to = join(target.open(Sides.COLLECTION, WHOLE, Claim.NONE));
    assertThat(join(to.get(Sides.key(1), Sides.call()))).isNotNull();
  }

  private static void assertRefused(ClockMigration migration, String why) {
    assertThatThrownBy(() -> migration.reset(false))
        .isInstanceOf(MigrationException.CutoverRefused.class)
        .hasMessageContaining(why);
  }

  private ClockMigration migration(Layout layout, Store to) {
    return ClockMigration.of(
        MigrationPlan.builder(Sides.COLLECTION, layout)
            .source(source)
            .target(to)
            .bootstrapServers("localhost:1")
            .options(MigrationOptions.builder().dwell(Duration.ZERO).build())
            .build(),
        ProgressListener.NONE);
  }

  private State state() {
    return join(gate.state());
  }

  private Copy copy() {
    return Objects.requireNonNull(state().copy());
  }

  private CollectionRecord record() {
    return Objects.requireNonNull(join(CollectionRecord.read(target.metadata(), Sides.COLLECTION)));
  }

  private Store store(String side) {
    return new ShardedStore(MemoryStoreProvider.open(side + "-" + name, Sides.LEADERLESS));
  }
}
