package dev.kvshift.testkit.example;

import dev.kvshift.testkit.DriverKit;
import dev.kvshift.testkit.fixture.UseFixture;

/** The kit on the example of the driver guide. */
@UseFixture(ShelfFixture.class)
final class ShelfKitTest extends DriverKit {}
