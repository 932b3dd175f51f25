package dev.kvshift.testkit.memory;

import dev.kvshift.testkit.UseFixture;
import dev.kvshift.testkit.VersionsClause;

@UseFixture(BareMemoryFixture.class)
final class BareMemoryVersionsTest extends VersionsClause {}
