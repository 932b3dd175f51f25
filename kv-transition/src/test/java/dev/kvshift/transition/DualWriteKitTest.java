package dev.kvshift.transition;

import dev.kvshift.spi.Phase;
import dev.kvshift.testkit.DriverKit;
import dev.kvshift.testkit.fixture.UseFixture;

/** The kit on a transition store in the phase in which both sides acknowledge writes. */
@UseFixture(DualWriteKitTest.Fixture.class)
final class DualWriteKitTest extends DriverKit {
  /** Opens the stores. */
  public static final class Fixture extends PhaseFixture {
    /** Created by the kit. */
    public Fixture() {
      super(Phase.DUAL_WRITE);
    }
  }
}
