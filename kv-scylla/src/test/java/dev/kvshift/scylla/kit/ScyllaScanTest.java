package dev.kvshift.scylla.kit;

import dev.kvshift.testkit.ScanClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(ScyllaFixture.class)
final class ScyllaScanTest extends ScanClause {}
