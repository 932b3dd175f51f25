package dev.kvshift.model.kit;

import dev.kvshift.testkit.DriverKit;
import dev.kvshift.testkit.fixture.UseFixture;

@UseFixture(MappedFixture.class)
final class MappedKitTest extends DriverKit {}
