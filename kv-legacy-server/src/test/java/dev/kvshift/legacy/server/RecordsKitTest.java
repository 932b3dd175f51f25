package dev.kvshift.legacy.server;

import dev.kvshift.api.Capability;
import dev.kvshift.spi.Store;
import dev.kvshift.testkit.clause.LifecycleClause;
import dev.kvshift.testkit.clause.LocksClause;
import dev.kvshift.testkit.clause.MetadataClause;
import dev.kvshift.testkit.fixture.UseFixture;
import java.io.IOException;
import java.util.EnumSet;
import java.util.Set;
import org.junit.jupiter.api.Nested;

/**
 * The kit's cases of records, locks and lifecycle on the legacy store that keeps records. All else
 * is the same without records, and {@link NetworkKitTest} covers it.
 */
@UseFixture(RecordsKitTest.Fixture.class)
final class RecordsKitTest {
  /** Opens the store with records and without locks. */
  public static final class Fixture extends NetworkFixture {
    public Fixture() throws IOException {}

    @Override
    public Set<Capability> capabilities() {
      return EnumSet.complementOf(EnumSet.of(Capability.LOCKS, Capability.LOCK_GATE));
    }

    @Override
    public Store open() {
      return open("&records=kept");
    }
  }

  @Nested
  final class Metadata extends MetadataClause {}

  @Nested
  final class Locks extends LocksClause {}

  @Nested
  final class Lifecycle extends LifecycleClause {}
}
