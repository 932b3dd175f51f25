package dev.kvshift.scylla.kit;

import dev.kvshift.testkit.PointOperationsClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(ScyllaFixture.class)
final class ScyllaPointOperationsTest extends PointOperationsClause {}
