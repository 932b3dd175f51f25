package dev.kvshift.scylla.kit;

import dev.kvshift.api.Capability;
import dev.kvshift.scylla.RecordedStatements;
import dev.kvshift.scylla.TestStores;
import dev.kvshift.spi.Store;
import dev.kvshift.testkit.fixture.StoreFixture;
import dev.kvshift.testkit.meter.Meter;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Set;

/** The driver on the server that the tests of this module share, on a keyspace of its own. */
public class ScyllaFixture implements StoreFixture {
  private final Meter meter = new Meter();
  final String keyspace = TestStores.newKeyspace();

  /** For the kit. */
  public ScyllaFixture() {}

  @Override
  public Set<Capability> capabilities() {
    return EnumSet.of(
        Capability.EXPIRY,
        Capability.VERSIONED_WRITES,
        Capability.RANGES,
        Capability.DROP,
        Capability.SCAN,
        Capability.LOCKS,
        Capability.METADATA);
  }

  /** Opens the driver; the sharded fixture puts a sharded store around it. */
  @Override
  public Store open() {
    return TestStores.open(keyspace, meter);
  }

  @Override
  public final Meter meter() {
    return meter;
  }

  @Override
  public final Duration shortLife() {
    return Duration.ofSeconds(1);
  }

  @Override
  public final void close() {
    TestStores.drop(keyspace);
    RecordedStatements.assertClean();
  }
}
