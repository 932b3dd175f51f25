package dev.kvshift.testkit.memory;

import dev.kvshift.testkit.RandomOperationsClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(BareMemoryFixture.class)
final class BareMemoryRandomOperationsTest extends RandomOperationsClause {}
