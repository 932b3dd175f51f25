package dev.kvshift.testkit.memory;

import dev.kvshift.testkit.LifecycleClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(MemoryFixture.class)
final class MemoryLifecycleTest extends LifecycleClause {}
