package dev.kvshift.scylla.kit;

import dev.kvshift.testkit.MultiKeyClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(ScyllaFixture.class)
final class ScyllaMultiKeyTest extends MultiKeyClause {}
