package dev.kvshift.testkit.memory;

import dev.kvshift.testkit.PointOperationsClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(BareMemoryFixture.class)
final class BareMemoryPointOperationsTest extends PointOperationsClause {}
