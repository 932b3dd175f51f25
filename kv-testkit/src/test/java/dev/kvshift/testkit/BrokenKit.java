package dev.kvshift.testkit;

import dev.kvshift.testkit.fixture.UseFixture;

/** The kit on a broken driver. Launched by {@link BrokenDriversTest} only. */
@UseFixture(BrokenFixture.class)
final class BrokenKit extends DriverKit {}
