package dev.kvshift.testkit.memory;

import dev.kvshift.testkit.MetadataClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(BareMemoryFixture.class)
final class BareMemoryMetadataTest extends MetadataClause {}
