package dev.kvshift.testkit.memory;

import dev.kvshift.testkit.LifecycleClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(BareMemoryFixture.class)
final class BareMemoryLifecycleTest extends LifecycleClause {}
