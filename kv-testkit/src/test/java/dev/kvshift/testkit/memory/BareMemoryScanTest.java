package dev.kvshift.testkit.memory;

import dev.kvshift.testkit.ScanClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(BareMemoryFixture.class)
final class BareMemoryScanTest extends ScanClause {}
