package dev.kvshift.scylla.kit;

import dev.kvshift.testkit.LocksClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(ScyllaFixture.class)
final class ScyllaLocksTest extends LocksClause {}
