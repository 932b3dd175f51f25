package dev.kvshift.scylla.kit;

import dev.kvshift.testkit.RangesClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(ScyllaFixture.class)
final class ScyllaRangesTest extends RangesClause {}
