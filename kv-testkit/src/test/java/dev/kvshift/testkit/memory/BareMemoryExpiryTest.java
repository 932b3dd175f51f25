package dev.kvshift.testkit.memory;

import dev.kvshift.testkit.ExpiryClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(BareMemoryFixture.class)
final class BareMemoryExpiryTest extends ExpiryClause {}
