package dev.kvshift.scylla.kit;

import dev.kvshift.testkit.FenceClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(ScyllaFixture.class)
final class ScyllaFenceTest extends FenceClause {}
