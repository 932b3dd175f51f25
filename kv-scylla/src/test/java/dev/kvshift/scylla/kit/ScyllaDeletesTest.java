package dev.kvshift.scylla.kit;

import dev.kvshift.testkit.DeletesClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(ScyllaFixture.class)
final class ScyllaDeletesTest extends DeletesClause {}
