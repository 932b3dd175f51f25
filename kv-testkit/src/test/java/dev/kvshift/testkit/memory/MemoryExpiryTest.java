package dev.kvshift.testkit.memory;

import dev.kvshift.testkit.ExpiryClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(MemoryFixture.class)
final class MemoryExpiryTest extends ExpiryClause {}
