package dev.kvshift.testkit.memory;

import dev.kvshift.testkit.LimitsClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(MemoryFixture.class)
final class MemoryLimitsTest extends LimitsClause {}
