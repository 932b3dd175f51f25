package dev.kvshift.legacy.server;

import dev.kvshift.testkit.DriverKit;
import dev.kvshift.testkit.fixture.UseFixture;

/** The kit on the legacy store inside the process. */
@UseFixture(FileFixture.class)
final class FileKitTest extends DriverKit {}
