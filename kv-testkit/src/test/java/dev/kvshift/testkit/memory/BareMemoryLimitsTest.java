package dev.kvshift.testkit.memory;

import dev.kvshift.testkit.LimitsClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(BareMemoryFixture.class)
final class BareMemoryLimitsTest extends LimitsClause {}
