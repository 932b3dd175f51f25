package dev.kvshift.testkit.memory;

import dev.kvshift.testkit.LocksClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(BareMemoryFixture.class)
final class BareMemoryLocksTest extends LocksClause {}
