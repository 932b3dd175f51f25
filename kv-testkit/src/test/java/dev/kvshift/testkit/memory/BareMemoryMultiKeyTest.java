package dev.kvshift.testkit.memory;

import dev.kvshift.testkit.MultiKeyClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(BareMemoryFixture.class)
final class BareMemoryMultiKeyTest extends MultiKeyClause {}
