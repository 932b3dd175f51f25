package dev.kvshift.testkit.memory;

import dev.kvshift.testkit.DriverKit;
import dev.kvshift.testkit.fixture.UseFixture;

/** The kit on the in-memory store. */
@UseFixture(MemoryFixture.class)
final class MemoryKitTest extends DriverKit {}
