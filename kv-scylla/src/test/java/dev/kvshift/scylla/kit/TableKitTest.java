package dev.kvshift.scylla.kit;

import dev.kvshift.api.Capability;
import dev.kvshift.api.Layout;
import dev.kvshift.api.Layout.Shape;
import dev.kvshift.api.ShardRule;
import dev.kvshift.scylla.ForeignTables;
import dev.kvshift.spi.Store;
import dev.kvshift.testkit.clause.DeletesClause;
import dev.kvshift.testkit.clause.PagingClause;
import dev.kvshift.testkit.clause.PointOperationsClause;
import dev.kvshift.testkit.clause.RandomOperationsClause;
import dev.kvshift.testkit.clause.ScanClause;
import dev.kvshift.testkit.fixture.StoreFixture;
import dev.kvshift.testkit.fixture.UseFixture;
import dev.kvshift.testkit.meter.Meter;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Set;
import org.junit.jupiter.api.Nested;

/**
 * The clauses of the kit that fit a table which kvshift did not make: each collection is a table of
 * its own. Left out are those that want an expiry to the millisecond, an empty main key in a range,
 * or a collection that can be dropped; {@code ForeignTableTest} has what such a table does instead.
 */
@UseFixture(TableKitTest.Fixture.class)
final class TableKitTest {
  @Nested
  final class PointOperations extends PointOperationsClause {}

  @Nested
  final class Deletes extends DeletesClause {}

  @Nested
  final class Paging extends PagingClause {}

  @Nested
  final class Scan extends ScanClause {}

  @Nested
  final class RandomOperations extends RandomOperationsClause {}

  /** Makes a table for each collection, and keeps its deletes. */
  public static final class Fixture implements StoreFixture {
    private final Meter meter = new Meter();
    private final ForeignTables tables = new ForeignTables();

    /** For the kit. */
    public Fixture() {}

    @Override
    public Set<Capability> capabilities() {
      return EnumSet.of(
          Capability.EXPIRY,
          Capability.VERSIONED_WRITES,
          Capability.RANGES,
          Capability.LARGE_MAIN_KEYS,
          Capability.SCAN,
          Capability.METADATA,
          Capability.TOMBSTONE_READS);
    }

    @Override
    public Store open() {
      return tables.open();
    }

    @Override
    public Meter meter() {
      return meter;
    }

    @Override
    public Layout rangeLayout() {
      return Layout.of(Shape.RANGE, ShardRule.none(), 0);
    }

    @Override
    public Duration shortLife() {
      return Duration.ofSeconds(2);
    }

    @Override
    public void close() {
      tables.close();
    }
  }
}
