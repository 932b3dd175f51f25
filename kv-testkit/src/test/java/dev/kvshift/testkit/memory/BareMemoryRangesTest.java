package dev.kvshift.testkit.memory;

import dev.kvshift.testkit.RangesClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(BareMemoryFixture.class)
final class BareMemoryRangesTest extends RangesClause {}
