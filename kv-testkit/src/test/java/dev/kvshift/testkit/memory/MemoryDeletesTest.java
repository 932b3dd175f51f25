package dev.kvshift.testkit.memory;

import dev.kvshift.testkit.DeletesClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(MemoryFixture.class)
final class MemoryDeletesTest extends DeletesClause {}
