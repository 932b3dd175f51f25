package dev.kvshift.testkit.memory;

import dev.kvshift.testkit.FenceClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(BareMemoryFixture.class)
final class BareMemoryFenceTest extends FenceClause {}
