package dev.kvshift.testkit.memory;

import dev.kvshift.testkit.LinearizabilityClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(BareMemoryFixture.class)
final class BareMemoryLinearizabilityTest extends LinearizabilityClause {}
