package dev.kvshift.testkit.memory;

import dev.kvshift.testkit.GateClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(BareMemoryFixture.class)
final class BareMemoryGateTest extends GateClause {}
