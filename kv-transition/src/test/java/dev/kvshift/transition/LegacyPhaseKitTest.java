package dev.kvshift.transition;

import dev.kvshift.testkit.DriverKit;
import dev.kvshift.testkit.fixture.UseFixture;

/** The kit on a transition store before the move. */
@UseFixture(LegacyPhaseFixture.class)
final class LegacyPhaseKitTest extends DriverKit {}
