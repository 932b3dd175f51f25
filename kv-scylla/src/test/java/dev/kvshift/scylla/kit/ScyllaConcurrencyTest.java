package dev.kvshift.scylla.kit;

import dev.kvshift.testkit.ConcurrencyClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(ScyllaFixture.class)
final class ScyllaConcurrencyTest extends ConcurrencyClause {}
