package dev.kvshift.testkit.memory;

import dev.kvshift.testkit.MultiKeyClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(MemoryFixture.class)
final class MemoryMultiKeyTest extends MultiKeyClause {}
