package dev.kvshift.testkit.memory;

import dev.kvshift.testkit.RandomOperationsClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(MemoryFixture.class)
final class MemoryRandomOperationsTest extends RandomOperationsClause {}
