package dev.kvshift.scylla.kit;

import dev.kvshift.testkit.LinearizabilityClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(ScyllaFixture.class)
final class ScyllaLinearizabilityTest extends LinearizabilityClause {}
