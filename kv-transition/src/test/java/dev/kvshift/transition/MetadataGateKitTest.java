package dev.kvshift.transition;

import dev.kvshift.api.Capability;
import dev.kvshift.memory.MemoryOptions;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.spi.ForwardingCollection;
import dev.kvshift.spi.ForwardingStore;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.InstanceReport;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.testkit.clause.GateStepsClause;
import dev.kvshift.testkit.fixture.StoreFixture;
import dev.kvshift.testkit.fixture.UseFixture;
import dev.kvshift.testkit.meter.Meter;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/** The kit's cases of a gate, for one that is kept in the metadata of a store that answers late. */
@UseFixture(MetadataGateKitTest.Fixture.class)
final class MetadataGateKitTest extends GateStepsClause {
  /** A store whose collections have their gates in its own metadata. */
  static final class Gated extends ForwardingStore {
    private final MetadataLeases leases;
    private final Map<String, Gate> gates = new ConcurrentHashMap<>();

    Gated(Store inner) {
      super(inner);
      leases = new MetadataLeases(inner.metadata());
    }

    @Override
    protected StoreCollection wrap(StoreCollection collection) {
      return new ForwardingCollection(collection) {
        @Override
        public Gate gate() {
          return gates.computeIfAbsent(name(), name -> MetadataGate.of(Gated.this.inner, name));
        }
      };
    }

    @Override
    public CompletionStage<Map<String, Gate.State>> report(InstanceReport report) {
      return leases.report(() -> report);
    }
  }

  /** Opens in-memory stores whose answers come late. */
  public static final class Fixture implements StoreFixture {
    private final String name = UUID.randomUUID().toString();
    private final Meter meter = new Meter();

    @Override
    public Set<Capability> capabilities() {
      return MemoryOptions.defaults().capabilities();
    }

    @Override
    public Store open() {
      return new Gated(
          MemoryStoreProvider.open(
              name,
              MemoryOptions.defaults()
                  .withExecutor(CompletableFuture.delayedExecutor(1, TimeUnit.MILLISECONDS))));
    }

    @Override
    public Meter meter() {
      return meter;
    }

    @Override
    public void close() {}
  }
}
