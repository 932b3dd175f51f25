package dev.kvshift.testkit.memory;

import dev.kvshift.testkit.UseFixture;
import dev.kvshift.testkit.VersionsClause;

@UseFixture(MemoryFixture.class)
final class MemoryVersionsTest extends VersionsClause {}
