package dev.kvshift.testkit.clause;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Lock;
import dev.kvshift.api.WriteOptions;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.FenceOptions;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.InstanceReport;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.StalePhase;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.StoreLocks;
import dev.kvshift.testkit.concurrent.Await;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** The gate through which a lock space moves to another store. */
@Needs({Capability.LOCKS, Capability.LOCK_GATE})
public abstract class LockGateClause extends Clause {
  private static final Duration LEASE = Duration.ofMinutes(5);
  private static final Duration FENCE = Duration.ofSeconds(30);
  private static final Set<Bytes> KEY = Set.of(Bytes.utf8("k"));
  private static final Set<Bytes> OTHER_KEY = Set.of(Bytes.utf8("other"));
  private static final String ATTEMPT = "try-1";

  private final String space = "kit-" + UUID.randomUUID();

  @Test
  void gate_newSpace_isOpenInTheLegacyPhase() {
    Gate.State state = join(gate().state());
    assertThat(state.epoch()).isZero();
    assertThat(state.phase()).isEqualTo(Phase.LEGACY);
    assertThat(state.acceptMin()).isZero();
    assertThat(state.fence()).isNull();
    assertThat(state.floor()).isZero();
  }

  @Test
  void fence_standing_grantsNoneWhileHoldersGoOn() {
    Lock held = lock(KEY);
    join(gate().fence(ATTEMPT, FenceOptions.lasting(FENCE)));

    for (Set<Bytes> keys : List.of(KEY, OTHER_KEY)) {
      Await.failure(
          KvException.CollectionFenced.class, () -> locks().tryLockAll(keys, LEASE, call()));
    }
    Lock renewed = join(locks().renew(held, LEASE, call()));
    assertThat(renewed.token()).isEqualTo(held.token());
    assertThat(join(gate().fence(ATTEMPT, FenceOptions.lasting(FENCE))).attempt())
        .isEqualTo(ATTEMPT);

    join(gate().lift(ATTEMPT));
    assertThat(join(locks().tryLockAll(KEY, LEASE, call())).busy()).isEqualTo(KEY);
    assertThat(join(locks().tryLockAll(OTHER_KEY, LEASE, call())).acquired()).hasSize(1);
    assertPermanent(() -> gate().fence(ATTEMPT, FenceOptions.lasting(FENCE)));
  }

  @Test
  void fence_standing_leavesOtherSpacesAlone() {
    join(gate().fence(ATTEMPT, FenceOptions.lasting(FENCE)));
    StoreLocks others = store().locks(space + "-other");
    Lock lock = join(others.tryLockAll(KEY, LEASE, call())).acquired().iterator().next();
    join(others.release(lock, call()));
  }

  @Test
  void fence_anotherConnection_meetsIt() {
    join(gate().fence(ATTEMPT, FenceOptions.lasting(FENCE)));
    try (Store other = tested().fixture.open()) {
      Await.failure(
          KvException.CollectionFenced.class,
          () -> other.locks(space).tryLockAll(KEY, LEASE, call()));
    }
  }

  @Test
  void fence_anotherAttempts_isTransient() {
    join(gate().fence(ATTEMPT, FenceOptions.lasting(FENCE)));
    Await.failure(
        KvException.Transient.class, () -> gate().fence("try-2", FenceOptions.lasting(FENCE)));
    assertPermanent(() -> gate().move("try-2"));
  }

  @Test
  void move_whileOneIsHeld_isTransientAndMovesNothing() {
    Lock held = lock(KEY);
    join(gate().fence(ATTEMPT, FenceOptions.lasting(FENCE)));
    Await.failure(KvException.Transient.class, () -> gate().move(ATTEMPT));
    assertThat(join(gate().state()).phase()).isEqualTo(Phase.LEGACY);
    assertThat(join(locks().renew(held, LEASE, call())).token()).isEqualTo(held.token());
  }

  @Test
  void move_onceNoneIsHeld_handsOverAboveEveryToken() {
    long highest = 0;
    for (int i = 0; i < 5; i++) {
      Lock lock = lock(Set.of(Bytes.utf8("k" + i)));
      highest = Math.max(highest, lock.token());
      join(locks().release(lock, call()));
    }
    Gate.Fence fence = join(gate().fence(ATTEMPT, FenceOptions.lasting(FENCE)));
    Gate.State moved = join(gate().move(ATTEMPT));
    assertThat(moved.phase()).isEqualTo(Phase.NEW_ONLY);
    assertThat(moved.epoch()).isEqualTo(1);
    assertThat(moved.acceptMin()).isEqualTo(1);
    assertThat(moved.fence()).isNull();
    assertThat(moved.floor()).isGreaterThan(highest).isGreaterThanOrEqualTo(fence.version());
    assertThat(join(gate().move(ATTEMPT))).isEqualTo(moved);
    assertThat(join(gate().state())).isEqualTo(moved);
  }

  @Test
  void move_afterAHolderHasDrawnVersions_hasAFloorNotBelow() {
    Lock held = lock(KEY);
    join(gate().fence(ATTEMPT, FenceOptions.lasting(FENCE)));
    long drawn = join(locks().version(held, 0, call()));
    join(locks().release(held, call()));
    assertThat(join(gate().move(ATTEMPT)).floor()).isGreaterThanOrEqualTo(drawn);
  }

  @Test
  void move_leasesOver_doesNotWaitForTheirRelease() {
    Lock held =
        join(locks().tryLockAll(KEY, StoreLocks.MIN_LEASE, call())).acquired().iterator().next();
    join(gate().fence(ATTEMPT, FenceOptions.lasting(FENCE)));
    awaitPast(held.expires());
    assertThat(join(gate().move(ATTEMPT)).floor()).isGreaterThan(held.token());
  }

  @Test
  void move_done_refusesWritesUnderLocksOfTheSpace() {
    Lock held = lock(KEY);
    join(gate().fence(ATTEMPT, FenceOptions.lasting(FENCE)));
    join(locks().release(held, call()));
    join(gate().move(ATTEMPT));
    Key key = Key.of(freshMain());
    assertPermanent(
        () -> {
          points(CollectionApi.SYNC).put(key, hex("01"), WriteOptions.lock(held));
          return key;
        });
    assertThat(points(CollectionApi.SYNC).get(key)).isNull();
  }

  @Test
  void move_done_refusesEverybodyButWhoGivesBack() {
    Lock held = lock(KEY);
    join(gate().fence(ATTEMPT, FenceOptions.lasting(FENCE)));
    join(locks().release(held, call()));
    Gate.State moved = join(gate().move(ATTEMPT));
    for (Call call : List.of(call(), call().withEpoch(moved.epoch()))) {
      StalePhase refusal =
          Await.failure(StalePhase.class, () -> locks().tryLockAll(KEY, LEASE, call));
      assertThat(refusal.phase()).isEqualTo(Phase.NEW_ONLY);
      assertThat(refusal.epoch()).isEqualTo(moved.epoch());
      assertThat(refusal.floor()).isEqualTo(moved.floor());
      Await.failure(StalePhase.class, () -> locks().renew(held, LEASE, call));
      Await.failure(StalePhase.class, () -> locks().version(held, 0, call));
      Await.failure(StalePhase.class, () -> locks().isHeld(held, call));
      join(locks().release(held, call));
    }
    Await.failure(StalePhase.class, () -> gate().fence("try-2", FenceOptions.lasting(FENCE)));
  }

  @Test
  void move_withoutItsFence_isPermanent() {
    assertPermanent(() -> gate().move(ATTEMPT));
    join(gate().fence(ATTEMPT, FenceOptions.lasting(FENCE)));
    join(gate().lift(ATTEMPT));
    assertPermanent(() -> gate().move(ATTEMPT));
    assertThat(join(gate().state()).phase()).isEqualTo(Phase.LEGACY);
  }

  @Test
  void compareAndSet_raisedAcceptMin_refusesOlderEpochs() {
    Lock held = lock(KEY);
    Gate.State first = join(gate().state());
    Gate.State next =
        Gate.State.first()
            .withEpoch(1)
            .withPhase(Phase.SHADOW_WRITE)
            .withAcceptMin(1)
            .withIncarnation(first.incarnation());
    assertThat(join(gate().compareAndSet(first, next))).isTrue();
    assertThat(join(gate().compareAndSet(first, next))).isFalse();

    Await.failure(StalePhase.class, () -> locks().tryLockAll(KEY, LEASE, call()));
    Await.failure(StalePhase.class, () -> locks().renew(held, LEASE, call()));
    assertThat(join(locks().renew(held, LEASE, call().withEpoch(1))).token())
        .isEqualTo(held.token());
    assertThat(join(locks().tryLockAll(KEY, LEASE, call().withEpoch(1))).busy()).isEqualTo(KEY);
  }

  @Test
  void sealAndReassert_ofLocks_arePermanent() {
    assertPermanent(() -> gate().seal(0));
    assertPermanent(() -> gate().reassert(StoreKey.of(Bytes.utf8("k"), Bytes.empty()), 0));
  }

  @Test
  void report_instance_isListedWithItsEpoch() {
    InstanceReport report =
        InstanceReport.of("instance-1", "kit")
            .withUse("locks:" + space, InstanceReport.Use.acknowledging(0));
    join(gate().state());
    assertThat(join(store().report(report)).get("locks:" + space)).isEqualTo(join(gate().state()));
    assertThat(join(gate().instances()))
        .extracting(Gate.Instance::name, instance -> instance.use().acknowledged())
        .containsExactly(tuple("instance-1", 0L));
  }

  private StoreLocks locks() {
    return store().locks(space);
  }

  private Gate gate() {
    return join(locks().gate());
  }

  private Lock lock(Set<Bytes> keys) {
    return join(locks().tryLockAll(keys, LEASE, call())).acquired().iterator().next();
  }
}
