package dev.kvshift.scylla.kit;

import dev.kvshift.testkit.UseFixture;
import dev.kvshift.testkit.WorkClause;

@UseFixture(ScyllaFixture.class)
final class ScyllaWorkTest extends WorkClause {}
