package dev.kvshift.scylla.kit;

import dev.kvshift.testkit.UseFixture;
import dev.kvshift.testkit.VersionsClause;

@UseFixture(ScyllaFixture.class)
final class ScyllaVersionsTest extends VersionsClause {}
