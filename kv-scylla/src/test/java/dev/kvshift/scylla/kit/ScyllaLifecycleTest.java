package dev.kvshift.scylla.kit;

import dev.kvshift.testkit.LifecycleClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(ScyllaFixture.class)
final class ScyllaLifecycleTest extends LifecycleClause {}
