package dev.kvshift.scylla.kit;

import dev.kvshift.testkit.ChangeSourceClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(ScyllaFixture.class)
final class ScyllaChangeSourceTest extends ChangeSourceClause {}
