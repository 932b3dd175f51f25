package dev.kvshift.testkit.memory;

import dev.kvshift.testkit.ChangeSourceClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(MemoryFixture.class)
final class MemoryChangeSourceTest extends ChangeSourceClause {}
