package dev.kvshift.scylla.kit;

import dev.kvshift.testkit.PagingClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(ScyllaFixture.class)
final class ScyllaPagingTest extends PagingClause {}
