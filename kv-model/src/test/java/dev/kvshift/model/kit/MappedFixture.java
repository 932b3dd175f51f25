package dev.kvshift.model.kit;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.Layout;
import dev.kvshift.memory.MemoryOptions;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.model.mapping.MappedStore;
import dev.kvshift.model.mapping.Mapping;
import dev.kvshift.model.shard.ShardedStore;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.ForwardingStore;
import dev.kvshift.spi.Limits;
import dev.kvshift.spi.Metadata;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import dev.kvshift.testkit.fixture.StoreFixture;
import dev.kvshift.testkit.fixture.TestClock;
import dev.kvshift.testkit.meter.Meter;
import java.util.EnumSet;
import java.util.Set;
import java.util.SortedMap;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** Other main keys, and values behind a constant, over shards of an in-memory store. */
public final class MappedFixture implements StoreFixture {
  private static final EnumSet<Capability> LEADING =
      EnumSet.of(
          Capability.CHANGE_SOURCE,
          Capability.CHANGE_CONSUMERS,
          Capability.GATE,
          Capability.FENCING,
          Capability.USAGE,
          Capability.LOCK_GATE);

  private final String name = UUID.randomUUID().toString();
  private final TestClock clock = new TestClock();
  private final VersionClock versions = new VersionClock(clock);
  private final Meter meter = new Meter();
  private final Set<String> opened = ConcurrentHashMap.newKeySet();
  private final Store first = open();

  /** Inverts each byte of main keys, and puts values behind one. */
  private record Inverted(String collection) implements Mapping {
    private static final Bytes FIRST = Bytes.of((byte) 7);

    @Override
    public String name() {
      return "inverted-1";
    }

    @Override
    public Bytes newMain(Bytes main) {
      return inverse(main);
    }

    @Override
    public Bytes oldMain(Bytes main) {
      return inverse(main);
    }

    @Override
    public Bytes newValue(StoreKey key, Bytes value) {
      return FIRST.concat(value);
    }

    @Override
    public Bytes oldValue(StoreKey key, Bytes value) {
      return value.slice(1, value.size());
    }

    @Override
    public boolean keepsOrder() {
      return true;
    }

    private static Bytes inverse(Bytes bytes) {
      byte[] inverse = bytes.toByteArray();
      for (int i = 0; i < inverse.length; i++) {
        inverse[i] ^= -1;
      }
      return Bytes.of(inverse);
    }
  }

  /** A store that maps every collection that was opened. */
  private static final class EveryCollection extends ForwardingStore {
    private final Set<String> opened;

    EveryCollection(Store inner, Set<String> opened) {
      super(inner);
      this.opened = opened;
    }

    private Store mapped() {
      return new MappedStore(inner, opened.stream().<Mapping>map(Inverted::new).toList());
    }

    @Override
    public Set<Capability> capabilities() {
      return mapped().capabilities();
    }

    /** Leaves room for what a mapping puts before each value. */
    @Override
    public Limits limits() {
      Limits held = inner.limits();
      return held.withMaxValueBytes(held.maxValueBytes() - Inverted.FIRST.size());
    }

    @Override
    public CompletionStage<StoreCollection> open(String name, Layout layout, Claim claim) {
      opened.add(name);
      return mapped().open(name, layout, claim);
    }

    @Override
    public CompletionStage<CollectionRecord> activate(String name, Copy copy, long floor) {
      return mapped().activate(name, copy, floor);
    }

    @Override
    public CompletionStage<CollectionRecord> restart(
        String name, Layout layout, Copy copy, Copy next) {
      return mapped().restart(name, layout, copy, next);
    }

    @Override
    public Metadata metadata() {
      return new Metadata() {
        @Override
        public CompletionStage<@Nullable Bytes> get(String record) {
          return mapped().metadata().get(record);
        }

        @Override
        public CompletionStage<SortedMap<String, Bytes>> list(
            String prefix, String after, int limit) {
          return mapped().metadata().list(prefix, after, limit);
        }

        @Override
        public CompletionStage<Boolean> compareAndSet(
            String record, @Nullable Bytes expected, @Nullable Bytes next) {
          return mapped().metadata().compareAndSet(record, expected, next);
        }
      };
    }
  }

  @Override
  public Set<Capability> capabilities() {
    return EnumSet.complementOf(LEADING);
  }

  @Override
  public Store open() {
    MemoryOptions options =
        MemoryOptions.defaults()
            .withClock(clock)
            .withVersions(versions)
            .without(Capability.LARGE_MAIN_KEYS)
            .without(LEADING.toArray(Capability[]::new));
    Store memory = MemoryStoreProvider.open(name, options);
    return new EveryCollection(new ShardedStore(meter.around(memory)), opened);
  }

  @Override
  public Meter meter() {
    return meter;
  }

  @Override
  public TestClock clock() {
    return clock;
  }

  @Override
  public Layout rangeLayout() {
    return Layout.parse("range;shard=bits=5;encoding=0");
  }

  @Override
  public int shardBytes() {
    return 1;
  }

  @Override
  public void close() {
    first.close();
  }
}
