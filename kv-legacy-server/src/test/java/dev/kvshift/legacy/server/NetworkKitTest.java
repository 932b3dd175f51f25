package dev.kvshift.legacy.server;

import dev.kvshift.testkit.DriverKit;
import dev.kvshift.testkit.fixture.UseFixture;

/** The kit on the legacy store over the network. */
@UseFixture(NetworkFixture.class)
final class NetworkKitTest extends DriverKit {}
