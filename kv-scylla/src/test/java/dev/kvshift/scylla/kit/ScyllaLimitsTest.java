package dev.kvshift.scylla.kit;

import dev.kvshift.testkit.LimitsClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(ScyllaFixture.class)
final class ScyllaLimitsTest extends LimitsClause {}
