package dev.kvshift.testkit.memory;

import dev.kvshift.testkit.ChangeSourceClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(BareMemoryFixture.class)
final class BareMemoryChangeSourceTest extends ChangeSourceClause {}
