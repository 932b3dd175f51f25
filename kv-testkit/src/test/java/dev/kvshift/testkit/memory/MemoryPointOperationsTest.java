package dev.kvshift.testkit.memory;

import dev.kvshift.testkit.PointOperationsClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(MemoryFixture.class)
final class MemoryPointOperationsTest extends PointOperationsClause {}
