package dev.kvshift.testkit.memory;

import dev.kvshift.testkit.RangesClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(MemoryFixture.class)
final class MemoryRangesTest extends RangesClause {}
