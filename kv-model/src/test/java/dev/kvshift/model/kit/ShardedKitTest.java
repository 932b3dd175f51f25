package dev.kvshift.model.kit;

import dev.kvshift.testkit.DriverKit;
import dev.kvshift.testkit.fixture.UseFixture;

@UseFixture(ShardedFixture.class)
final class ShardedKitTest extends DriverKit {}
