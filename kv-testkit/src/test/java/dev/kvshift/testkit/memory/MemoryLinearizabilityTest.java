package dev.kvshift.testkit.memory;

import dev.kvshift.testkit.LinearizabilityClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(MemoryFixture.class)
final class MemoryLinearizabilityTest extends LinearizabilityClause {}
