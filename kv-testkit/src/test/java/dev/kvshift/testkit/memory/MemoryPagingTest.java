package dev.kvshift.testkit.memory;

import dev.kvshift.testkit.PagingClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(MemoryFixture.class)
final class MemoryPagingTest extends PagingClause {}
