package dev.kvshift.scylla.kit;

import dev.kvshift.testkit.RandomOperationsClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(ScyllaFixture.class)
final class ScyllaRandomOperationsTest extends RandomOperationsClause {}
