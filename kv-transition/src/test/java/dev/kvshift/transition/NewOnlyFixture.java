package dev.kvshift.transition;

import static dev.kvshift.testkit.concurrent.Await.join;
import static dev.kvshift.testkit.fixture.TestCopy.COPY;

import dev.kvshift.spi.FenceOptions;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Phase;
import java.time.Duration;

/** A transition store whose collections have each moved by the time that they are opened. */
public final class NewOnlyFixture extends PhaseFixture {
  /** Created by the kit. */
  public NewOnlyFixture() {
    super(Phase.NEW_ONLY);
  }

  @Override
  void arrive(String name, Gate gate) {
    join(gate.fence("kit", FenceOptions.lasting(Duration.ofSeconds(30))));
    Gate.State moved = join(gate.move("kit"));
    join(newSide.activate(name, COPY, moved.floor()));
    clock().advance(Duration.ofSeconds(2));
  }
}
