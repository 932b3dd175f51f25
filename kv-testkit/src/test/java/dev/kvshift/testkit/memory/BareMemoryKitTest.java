package dev.kvshift.testkit.memory;

import dev.kvshift.testkit.DriverKit;
import dev.kvshift.testkit.fixture.UseFixture;

/** The kit on an in-memory store that declares no capability. */
@UseFixture(BareMemoryFixture.class)
final class BareMemoryKitTest extends DriverKit {}
