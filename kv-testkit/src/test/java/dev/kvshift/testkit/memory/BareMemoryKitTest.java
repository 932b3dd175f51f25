package dev.kvshift.testkit.memory;

import dev.kvshift.testkit.DriverKit;
import dev.kvshift.testkit.fixture.UseFixture;

/** The kit on an in-memory store that can do nothing but read and write keys. */
@UseFixture(BareMemoryFixture.class)
final class BareMemoryKitTest extends DriverKit {}
