package dev.kvshift.testkit.memory;

import dev.kvshift.testkit.FenceClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(MemoryFixture.class)
final class MemoryFenceTest extends FenceClause {}
