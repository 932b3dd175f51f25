package dev.kvshift.bench;

import static dev.kvshift.model.Values.rawBytes;
import static dev.kvshift.model.key.Keys.composite;
import static dev.kvshift.model.key.Keys.firstBits;
import static dev.kvshift.model.key.Keys.int64;
import static dev.kvshift.model.key.Keys.string;
import static dev.kvshift.model.key.Keys.unsharded;

import com.sun.management.ThreadMXBean;
import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Layout;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.model.Model;
import dev.kvshift.model.PointModel;
import dev.kvshift.model.RangeModel;
import dev.kvshift.model.TypedPoint;
import dev.kvshift.model.TypedRange;
import dev.kvshift.model.key.KeyFormat;
import dev.kvshift.model.key.KeySplit;
import dev.kvshift.model.key.Keys;
import dev.kvshift.model.key.RangeKey;
import dev.kvshift.model.shard.ShardedStore;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.AuxCounters;
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
import org.openjdk.jmh.infra.Blackhole;

/** What {@code bench model} runs under JMH. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class ModelWork {
  /** An iteration's blocks, half of them direct; as many in all, since the store keeps its puts. */
  private static final int BLOCKS = 100;

  private static final int BLOCK = 500;
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

    /**
     * Makes stores that hold all keys, none of them the very object that is read with; those of the
     * last iteration are collected before.
     */
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
        write(pointDirect, StoreKey.of(string().encode(names[i]), Bytes.empty()));
        StoreKey held = StoreKey.of(string().encode("main"), PLACE.encode(places[i]));
        write(rangeDirect, held);
        write(shardedDirect, held);
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

    private String name() {
      return names[index()];
    }

    private StoreKey pointKey() {
      return pointKeys[index()];
    }

    private int index() {
      next = (next + 1) & (KEYS - 1);
      return next;
    }
  }

  /**
   * Runs blocks of direct operations and of typed ones by turns, so that what slows the machine
   * down slows both, and counts what either took.
   */
  @State(Scope.Thread)
  @AuxCounters(AuxCounters.Type.EVENTS)
  public static class Pair {
    /** Of each kind. */
    public double operations;

    public double directNanos;
    public double directBytes;
    public double typedNanos;
    public double typedBytes;
    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private final Random random = new Random(1);

    private void run(Runnable direct, Runnable typed) {
      for (int i = 0; i < BLOCKS / 2; i++) {
        boolean directFirst = random.nextBoolean();
        if (directFirst) {
          direct(direct);
        }
        typed(typed);
        if (!directFirst) {
          direct(direct);
        }
        operations += BLOCK;
      }
    }

    private void direct(Runnable work) {
      long bytes = threads.getCurrentThreadAllocatedBytes();
      long start = System.nanoTime();
      for (int i = 0; i < BLOCK; i++) {
        work.run();
      }
      directNanos += System.nanoTime() - start;
      directBytes += threads.getCurrentThreadAllocatedBytes() - bytes;
    }

    /** The same, compiled by itself. */
    private void typed(Runnable work) {
      long bytes = threads.getCurrentThreadAllocatedBytes();
      long start = System.nanoTime();
      for (int i = 0; i < BLOCK; i++) {
        work.run();
      }
      typedNanos += System.nanoTime() - start;
      typedBytes += threads.getCurrentThreadAllocatedBytes() - bytes;
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
  public @Nullable Row getRangeKeySharded(Stores on) {
    return join(on.shardedDirect.get(on.rangeKeys[on.index()], Call.within(DEADLINE)));
  }

  @Benchmark
  @BenchmarkMode(Mode.SingleShotTime)
  @OperationsPerInvocation(BLOCKS * BLOCK)
  public void get(Stores on, Pair pair, Blackhole hole) {
    pair.run(
        () -> hole.consume(join(on.pointDirect.get(on.pointKey(), Call.within(DEADLINE)))),
        () -> hole.consume(on.pointTyped.get(on.name())));
  }

  /** The store keeps what it is given, so that each put brings a key and a mutation of its own. */
  @Benchmark
  @BenchmarkMode(Mode.SingleShotTime)
  @OperationsPerInvocation(BLOCKS * BLOCK)
  public void put(Stores on, Pair pair, Blackhole hole) {
    pair.run(
        () -> {
          StoreKey key = StoreKey.of(on.pointKey().main(), Bytes.empty());
          hole.consume(
              join(on.pointDirect.write(key, Mutation.put(on.value), Call.within(DEADLINE))));
        },
        () -> on.pointTyped.put(on.name(), on.value));
  }

  @Benchmark
  @BenchmarkMode(Mode.SingleShotTime)
  @OperationsPerInvocation(BLOCKS * BLOCK)
  public void getRangeKey(Stores on, Pair pair, Blackhole hole) {
    pair.run(
        () ->
            hole.consume(join(on.rangeDirect.get(on.rangeKeys[on.index()], Call.within(DEADLINE)))),
        () -> hole.consume(on.rangeTyped.get("main", on.places[on.index()])));
  }

  private static <T> T join(CompletionStage<T> stage) {
    return stage.toCompletableFuture().join();
  }
}
