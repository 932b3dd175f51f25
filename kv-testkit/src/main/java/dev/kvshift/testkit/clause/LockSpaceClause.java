package dev.kvshift.testkit.clause;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.Lock;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.LockSpaceRecord;
import dev.kvshift.spi.StoreLocks;
import dev.kvshift.spi.VersionClock;
import java.time.Duration;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** The authority over a lock space that moves here from another store. */
@Needs({Capability.LOCKS, Capability.METADATA})
public abstract class LockSpaceClause extends Clause {
  private static final Duration LEASE = Duration.ofMinutes(5);
  private static final Set<Bytes> KEY = Set.of(Bytes.utf8("k"));

  private final String space = "moved-" + UUID.randomUUID();
  private final Copy copy = Copy.draw("kit");

  @Test
  void tryLockAll_spaceNeverMoved_isClaimed() {
    assertThat(record()).isNull();
    lock(locks());
    assertThat(record()).isEqualTo(LockSpaceRecord.live());
    assertPermanent(() -> LockSpaceRecord.announce(store().metadata(), space, copy));
    assertThat(record()).isEqualTo(LockSpaceRecord.live());
  }

  @Test
  void tryLockAll_moveAnnounced_isPermanent() {
    join(LockSpaceRecord.announce(store().metadata(), space, copy));
    assertPermanent(() -> locks().tryLockAll(KEY, LEASE, call()));
    assertThat(record()).isEqualTo(LockSpaceRecord.importing(copy));
  }

  @Test
  void tryLockAll_sentHereBeforeTheMoveHasEnded_hasATokenAboveTheFloor() {
    join(LockSpaceRecord.announce(store().metadata(), space, copy));
    long floor = floor();
    Lock first = lock(locks().above(floor));
    assertThat(first.token()).isGreaterThan(floor);
    assertThat(join(locks().isHeld(first, call()))).isTrue();
    join(locks().release(first, call()));
    assertThat(lock(locks().above(floor)).token()).isGreaterThan(first.token());
  }

  @Test
  void tryLockAll_moveEnded_hasATokenAboveTheFloor() {
    join(LockSpaceRecord.announce(store().metadata(), space, copy));
    long floor = floor();
    LockSpaceRecord active = join(LockSpaceRecord.activate(store().metadata(), space, copy, floor));
    assertThat(active.isHandedOver()).isTrue();
    assertThat(record()).isEqualTo(active);
    assertThat(lock(locks()).token()).isGreaterThan(floor);
    assertThat(join(LockSpaceRecord.activate(store().metadata(), space, copy, floor)))
        .isEqualTo(active);
  }

  /** A floor ahead of the clock, as a leader's whose clock is ahead can be. */
  private long floor() {
    return VersionClock.micros(serverTime()) + 300_000;
  }

  private StoreLocks locks() {
    return store().locks(space);
  }

  private Lock lock(StoreLocks locks) {
    return join(locks.tryLockAll(KEY, LEASE, call())).acquired().iterator().next();
  }

  private LockSpaceRecord record() {
    return join(LockSpaceRecord.read(store().metadata(), space));
  }
}
