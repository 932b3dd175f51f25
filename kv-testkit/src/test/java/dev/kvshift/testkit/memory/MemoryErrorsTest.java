package dev.kvshift.testkit.memory;

import dev.kvshift.testkit.ErrorsClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(MemoryFixture.class)
final class MemoryErrorsTest extends ErrorsClause {}
