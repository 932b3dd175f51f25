package dev.kvshift.model.kit;

import dev.kvshift.testkit.ChangeSourceClause;
import dev.kvshift.testkit.ConcurrencyClause;
import dev.kvshift.testkit.DeletesClause;
import dev.kvshift.testkit.ErrorsClause;
import dev.kvshift.testkit.ExpiryClause;
import dev.kvshift.testkit.FenceClause;
import dev.kvshift.testkit.GateClause;
import dev.kvshift.testkit.LifecycleClause;
import dev.kvshift.testkit.LimitsClause;
import dev.kvshift.testkit.LocksClause;
import dev.kvshift.testkit.MetadataClause;
import dev.kvshift.testkit.MultiKeyClause;
import dev.kvshift.testkit.PagingClause;
import dev.kvshift.testkit.PointOperationsClause;
import dev.kvshift.testkit.RangesClause;
import dev.kvshift.testkit.ScanClause;
import dev.kvshift.testkit.UseFixture;
import dev.kvshift.testkit.VersionsClause;
import org.junit.jupiter.api.Nested;

final class ShardedKitTest {
  @Nested
  @UseFixture(ShardedFixture.class)
  final class ChangeSource extends ChangeSourceClause {}

  @Nested
  @UseFixture(ShardedFixture.class)
  final class Concurrency extends ConcurrencyClause {}

  @Nested
  @UseFixture(ShardedFixture.class)
  final class Deletes extends DeletesClause {}

  @Nested
  @UseFixture(ShardedFixture.class)
  final class Errors extends ErrorsClause {}

  @Nested
  @UseFixture(ShardedFixture.class)
  final class Expiry extends ExpiryClause {}

  @Nested
  @UseFixture(ShardedFixture.class)
  final class Fence extends FenceClause {}

  @Nested
  @UseFixture(ShardedFixture.class)
  final class Gate extends GateClause {}

  @Nested
  @UseFixture(ShardedFixture.class)
  final class Lifecycle extends LifecycleClause {}

  @Nested
  @UseFixture(ShardedFixture.class)
  final class Limits extends LimitsClause {}

  @Nested
  @UseFixture(ShardedFixture.class)
  final class Locks extends LocksClause {}

  @Nested
  @UseFixture(ShardedFixture.class)
  final class Metadata extends MetadataClause {}

  @Nested
  @UseFixture(ShardedFixture.class)
  final class MultiKey extends MultiKeyClause {}

  @Nested
  @UseFixture(ShardedFixture.class)
  final class Paging extends PagingClause {}

  @Nested
  @UseFixture(ShardedFixture.class)
  final class PointOperations extends PointOperationsClause {}

  @Nested
  @UseFixture(ShardedFixture.class)
  final class Ranges extends RangesClause {}

  @Nested
  @UseFixture(ShardedFixture.class)
  final class Scan extends ScanClause {}

  @Nested
  @UseFixture(ShardedFixture.class)
  final class Versions extends VersionsClause {}
}
