package dev.kvshift.testkit.memory;

import dev.kvshift.testkit.ErrorsClause;
import dev.kvshift.testkit.UseFixture;

@UseFixture(BareMemoryFixture.class)
final class BareMemoryErrorsTest extends ErrorsClause {}
