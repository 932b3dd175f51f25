package dev.kvshift.bench;

import static dev.kvshift.model.Keys.composite;
import static dev.kvshift.model.Keys.firstBits;
import static dev.kvshift.model.Keys.int64;
import static dev.kvshift.model.Keys.string;
import static dev.kvshift.model.Keys.unsharded;
import static dev.kvshift.model.Values.rawBytes;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvStore;
import dev.kvshift.api.Layout;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.model.KeyFormat;
import dev.kvshift.model.KeySplit;
import dev.kvshift.model.Keys;
import dev.kvshift.model.Model;
import dev.kvshift.model.PointModel;
import dev.kvshift.model.RangeKey;
import dev.kvshift.model.RangeModel;
import dev.kvshift.model.ShardedStore;
import dev.kvshift.model.TypedPoint;
import dev.kvshift.model.TypedRange;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** What {@code bench model} runs under JMH. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class ModelWork {
  /** How many puts an iteration makes: the same for all, since the store keeps what they change. */
  private static final int PUTS = 50_000;

  private static final int KEYS = 4_096;
  private static final Duration DEADLINE = Duration.ofSeconds(10);

  record FilePlace(String path, long version) {}

  private static final KeyFormat<FilePlace> PLACE =
      composite(string(), int64()).as(FilePlace::new, FilePlace::path, FilePlace::version);

  /** Keys and stores. A store is new in every iteration, so that its change log stays small. */
  @State(Scope.Benchmark)
  public static class Stores {
    private final String[] names = new String[KEYS];
    private final FilePlace[] places = new FilePlace[KEYS];
    private final Bytes[] encodedPlaces = new Bytes[KEYS];
    private final StoreKey[] pointKeys = new StoreKey[KEYS];
    private final StoreKey[] rangeKeys = new StoreKey[KEYS];
    private final Bytes[] wholeKeys = new Bytes[KEYS];
    private final Bytes value = Bytes.of(new byte[200]);
    private final KeySplit split = Keys.splitBehind(Bytes.utf8("/"));
    private final PointModel<String, Bytes> point =
        Model.point("users").key(string()).value(rawBytes());
    private final RangeModel<String, FilePlace, Bytes> flat =
        Model.range("flat").main(string()).clustering(PLACE).shardBy(unsharded()).value(rawBytes());
    private final RangeModel<String, FilePlace, Bytes> sharded =
        Model.range("sharded")
            .main(string())
            .clustering(PLACE)
            .shardBy(firstBits(8))
            .value(rawBytes());
    private @Nullable Store memory;
    private @Nullable Store shards;
    private @Nullable StoreCollection pointDirect;
    private @Nullable StoreCollection rangeDirect;
    private @Nullable StoreCollection shardedDirect;
    private @Nullable TypedPoint<String, Bytes> pointTyped;
    private @Nullable TypedRange<String, FilePlace, Bytes> rangeTyped;
    private int next;

    /** Makes stores that hold all keys; those of the last iteration are collected before. */
    @Setup(Level.Iteration)
    public void open() {
      System.gc();
      memory = MemoryStoreProvider.open("bench-" + System.nanoTime());
      shards = new ShardedStore(MemoryStoreProvider.open("bench-sharded-" + System.nanoTime()));
      pointDirect = collection(memory, point.name(), point.layout());
      rangeDirect = collection(memory, flat.name(), flat.layout());
      shardedDirect = collection(shards, sharded.name(), sharded.layout());
      KvStore view = KvStore.over(memory);
      pointTyped = point.open(view);
      rangeTyped = flat.open(view);
      Bytes main = string().encode("main");
      for (int i = 0; i < KEYS; i++) {
        names[i] = "user-" + (i * 7_919L) % 1_000_003;
        places[i] = new FilePlace("src/" + names[i] + ".txt", i);
        encodedPlaces[i] = PLACE.encode(places[i]);
        wholeKeys[i] = Bytes.utf8(names[i] + "/" + places[i].path());
        pointKeys[i] = StoreKey.of(string().encode(names[i]), Bytes.empty());
        rangeKeys[i] = StoreKey.of(main, encodedPlaces[i]);
        write(pointDirect, pointKeys[i]);
        write(rangeDirect, rangeKeys[i]);
        write(shardedDirect, rangeKeys[i]);
      }
    }

    private static StoreCollection collection(Store store, String name, Layout layout) {
      return store.open(name, layout, Claim.ACTIVE).toCompletableFuture().join();
    }

    private void write(StoreCollection collection, StoreKey key) {
      collection
          .write(key, Mutation.put(value), Call.within(DEADLINE))
          .toCompletableFuture()
          .join();
    }

    /** Lets the stores go. */
    @TearDown(Level.Iteration)
    public void close() {
      if (memory != null) {
        memory.close();
      }
      if (shards != null) {
        shards.close();
      }
    }

    private int index() {
      next = (next + 1) & (KEYS - 1);
      return next;
    }
  }

  @Benchmark
  public Bytes encodeString(Stores on) {
    return string().encode(on.names[on.index()]);
  }

  @Benchmark
  public Bytes encodeComposite(Stores on) {
    return PLACE.encode(on.places[on.index()]);
  }

  @Benchmark
  public Object decodeComposite(Stores on) {
    return PLACE.decode(on.encodedPlaces[on.index()]);
  }

  @Benchmark
  public RangeKey<Bytes, Bytes> split(Stores on) {
    return on.split.split(on.wholeKeys[on.index()]);
  }

  @Benchmark
  public @Nullable Row getDirect(Stores on) {
    return join(on.pointDirect.get(on.pointKeys[on.index()], Call.within(DEADLINE)));
  }

  @Benchmark
  public Optional<Bytes> getTyped(Stores on) {
    return on.pointTyped.get(on.names[on.index()]);
  }

  /** The store keeps what it is given, so that each put brings a key and a mutation of its own. */
  @Benchmark
  @BenchmarkMode(Mode.SingleShotTime)
  @OperationsPerInvocation(PUTS)
  public long putDirect(Stores on) {
    long last = 0;
    for (int i = 0; i < PUTS; i++) {
      StoreKey key = StoreKey.of(on.pointKeys[on.index()].main(), Bytes.empty());
      Mutation put = Mutation.put(on.value);
      last = join(on.pointDirect.write(key, put, Call.within(DEADLINE)));
    }
    return last;
  }

  @Benchmark
  @BenchmarkMode(Mode.SingleShotTime)
  @OperationsPerInvocation(PUTS)
  public void putTyped(Stores on) {
    for (int i = 0; i < PUTS; i++) {
      on.pointTyped.put(on.names[on.index()], on.value);
    }
  }

  @Benchmark
  public @Nullable Row getRangeKeyDirect(Stores on) {
    return join(on.rangeDirect.get(on.rangeKeys[on.index()], Call.within(DEADLINE)));
  }

  @Benchmark
  public Optional<Bytes> getRangeKeyTyped(Stores on) {
    return on.rangeTyped.get("main", on.places[on.index()]);
  }

  @Benchmark
  public @Nullable Row getRangeKeySharded(Stores on) {
    return join(on.shardedDirect.get(on.rangeKeys[on.index()], Call.within(DEADLINE)));
  }

  private static <T> T join(CompletionStage<T> stage) {
    return stage.toCompletableFuture().join();
  }
}
