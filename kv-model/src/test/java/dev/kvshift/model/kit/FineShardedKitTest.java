package dev.kvshift.model.kit;

import dev.kvshift.testkit.DriverKit;
import dev.kvshift.testkit.fixture.UseFixture;

@UseFixture(FineShardedFixture.class)
final class FineShardedKitTest extends DriverKit {}
