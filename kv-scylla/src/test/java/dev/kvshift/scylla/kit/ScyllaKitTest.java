package dev.kvshift.scylla.kit;

import dev.kvshift.testkit.DriverKit;
import dev.kvshift.testkit.fixture.UseFixture;

/** The kit on the driver alone. */
@UseFixture(ScyllaFixture.class)
final class ScyllaKitTest extends DriverKit {}
