package dev.kvshift.testkit.memory;

import dev.kvshift.testkit.ConcurrencyClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(BareMemoryFixture.class)
final class BareMemoryConcurrencyTest extends ConcurrencyClause {}
