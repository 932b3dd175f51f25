package dev.kvshift.testkit.memory;

import dev.kvshift.testkit.PagingClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(BareMemoryFixture.class)
final class BareMemoryPagingTest extends PagingClause {}
