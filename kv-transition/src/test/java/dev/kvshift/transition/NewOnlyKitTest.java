package dev.kvshift.transition;

import dev.kvshift.testkit.DriverKit;
import dev.kvshift.testkit.fixture.UseFixture;

/** The kit on a transition store after the move. */
@UseFixture(NewOnlyFixture.class)
final class NewOnlyKitTest extends DriverKit {}
