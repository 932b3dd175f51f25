package dev.kvshift.testkit.memory;

import dev.kvshift.testkit.ScanClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(MemoryFixture.class)
final class MemoryScanTest extends ScanClause {}
