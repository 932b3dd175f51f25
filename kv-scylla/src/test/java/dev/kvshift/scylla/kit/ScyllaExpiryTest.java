package dev.kvshift.scylla.kit;

import dev.kvshift.testkit.ExpiryClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(ScyllaFixture.class)
final class ScyllaExpiryTest extends ExpiryClause {}
