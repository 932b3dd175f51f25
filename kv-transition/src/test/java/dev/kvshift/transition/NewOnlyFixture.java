package dev.kvshift.transition;

import static dev.kvshift.testkit.concurrent.Await.join;
import static dev.kvshift.testkit.fixture.TestCopy.COPY;

import dev.kvshift.spi.FenceOptions;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.LockSpaceRecord;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Store;
import java.time.Duration;

/**
 * A transition store whose collections have each moved by the time that they are opened. So has the
 * lock space {@code kit}; others have not.
 */
public final class NewOnlyFixture extends PhaseFixture {
  private static final String SPACE = "kit";

  /** Created by the kit. */
  public NewOnlyFixture() {
    super(Phase.NEW_ONLY);
  }

  @Override
  public synchronized Store open() {
    Gate gate = join(oldSide.locks(SPACE).gate());
    if (join(gate.state()).phase() == Phase.LEGACY) {
      join(LockSpaceRecord.announce(newSide.metadata(), SPACE, COPY));
      Gate.State now = join(gate.state());
      join(gate.compareAndSet(now, now.withCopy(COPY)));
      join(gate.fence("kit", FenceOptions.lasting(Duration.ofSeconds(30))));
      long floor = join(gate.move("kit")).floor();
      join(LockSpaceRecord.activate(newSide.metadata(), SPACE, COPY, floor));
    }
    return super.open();
  }

  @Override
  void arrive(String name, Gate gate) {
    join(gate.fence("kit", FenceOptions.lasting(Duration.ofSeconds(30))));
    Gate.State moved = join(gate.move("kit"));
    join(newSide.activate(name, COPY, moved.floor()));
    clock().advance(Duration.ofSeconds(2));
  }
}
