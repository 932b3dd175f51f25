package dev.kvshift.scylla.kit;

import dev.kvshift.testkit.ErrorsClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(ScyllaFixture.class)
final class ScyllaErrorsTest extends ErrorsClause {}
