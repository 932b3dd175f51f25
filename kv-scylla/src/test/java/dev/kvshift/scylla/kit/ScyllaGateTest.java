package dev.kvshift.scylla.kit;

import dev.kvshift.testkit.GateClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(ScyllaFixture.class)
final class ScyllaGateTest extends GateClause {}
