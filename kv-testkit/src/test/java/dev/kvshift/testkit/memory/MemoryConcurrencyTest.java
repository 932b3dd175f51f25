package dev.kvshift.testkit.memory;

import dev.kvshift.testkit.ConcurrencyClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(MemoryFixture.class)
final class MemoryConcurrencyTest extends ConcurrencyClause {}
