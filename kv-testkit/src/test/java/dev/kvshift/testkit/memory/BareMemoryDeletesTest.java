package dev.kvshift.testkit.memory;

import dev.kvshift.testkit.DeletesClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(BareMemoryFixture.class)
final class BareMemoryDeletesTest extends DeletesClause {}
