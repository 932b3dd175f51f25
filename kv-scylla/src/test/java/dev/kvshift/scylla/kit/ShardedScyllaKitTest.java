package dev.kvshift.scylla.kit;

import dev.kvshift.testkit.DriverKit;
import dev.kvshift.testkit.fixture.UseFixture;

/** The kit on the driver as services use it. */
@UseFixture(ShardedScyllaFixture.class)
final class ShardedScyllaKitTest extends DriverKit {}
