package dev.kvshift.testkit;

import dev.kvshift.testkit.fixture.UseFixture;

/**
 * The kit on a broken driver without any capability. Launched by {@link BrokenDriversTest} only.
 */
@UseFixture(BareBrokenFixture.class)
final class BareBrokenKit extends DriverKit {}
