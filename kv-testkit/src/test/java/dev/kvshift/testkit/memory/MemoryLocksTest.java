package dev.kvshift.testkit.memory;

import dev.kvshift.testkit.LocksClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(MemoryFixture.class)
final class MemoryLocksTest extends LocksClause {}
