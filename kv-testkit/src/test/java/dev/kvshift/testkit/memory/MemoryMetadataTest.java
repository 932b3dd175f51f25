package dev.kvshift.testkit.memory;

import dev.kvshift.testkit.MetadataClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(MemoryFixture.class)
final class MemoryMetadataTest extends MetadataClause {}
