package dev.kvshift.scylla.kit;

import dev.kvshift.testkit.MetadataClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(ScyllaFixture.class)
final class ScyllaMetadataTest extends MetadataClause {}
