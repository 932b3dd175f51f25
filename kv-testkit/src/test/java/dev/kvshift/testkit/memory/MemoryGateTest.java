package dev.kvshift.testkit.memory;

import dev.kvshift.testkit.GateClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(MemoryFixture.class)
final class MemoryGateTest extends GateClause {}
