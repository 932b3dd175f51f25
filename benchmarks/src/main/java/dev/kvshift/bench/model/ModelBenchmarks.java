package dev.kvshift.bench.model;

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

/** The JMH benchmarks of {@code bench model}. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class ModelBenchmarks {
  /** Blocks in an iteration, half of them direct. Fixed, because the store keeps all its puts. */
  private static final int BLOCKS = 100;

  private static final int BLOCK = 500;
  private static final int KEYS = 4_096;
  private static final Duration DEADLINE = Duration.ofSeconds(10);

  record FileVersion(String path, long version) {}

  private static final KeyFormat<FileVersion> FILE =
      composite(string(), int64()).as(FileVersion::new, FileVersion::path, FileVersion::version);

  /** Keys and stores. Each iteration has new stores, so that their change logs stay small. */
  @State(Scope.Benchmark)
  public static class Stores {
    private final String[] names = new String[KEYS];
    private final FileVersion[] files = new FileVersion[KEYS];
    private final Bytes[] encodedFiles = new Bytes[KEYS];
    private final StoreKey[] pointKeys = new StoreKey[KEYS];
    private final StoreKey[] rangeKeys = new StoreKey[KEYS];
    private final Bytes[] wholeKeys = new Bytes[KEYS];
    private final Bytes value = Bytes.of(new byte[200]);
    private final KeySplit split = Keys.splitBehind(Bytes.utf8("/"));
    private final PointModel<String, Bytes> point =
        Model.point("users").key(string()).value(rawBytes());
    private final RangeModel<String, FileVersion, Bytes> flat =
        Model.range("flat").main(string()).clustering(FILE).shardBy(unsharded()).value(rawBytes());
    private final RangeModel<String, FileVersion, Bytes> sharded =
        Model.range("sharded")
            .main(string())
            .clustering(FILE)
            .shardBy(firstBits(8))
            .value(rawBytes());
    private @Nullable Store memory;
    private @Nullable Store shards;
    private @Nullable StoreCollection pointDirect;
    private @Nullable StoreCollection rangeDirect;
    private @Nullable StoreCollection shardedDirect;
    private @Nullable TypedPoint<String, Bytes> pointTyped;
    private @Nullable TypedRange<String, FileVersion, Bytes> rangeTyped;
    private int next;

    /**
     * Fills new stores with all keys, as other objects than those that are read with, so that no
     * lookup ends at an identity check. Collects the stores of the last iteration first.
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
        files[i] = new FileVersion("src/" + names[i] + ".txt", i);
        encodedFiles[i] = FILE.encode(files[i]);
        wholeKeys[i] = Bytes.utf8(names[i] + "/" + files[i].path());
        pointKeys[i] = StoreKey.of(string().encode(names[i]), Bytes.empty());
        rangeKeys[i] = StoreKey.of(main, encodedFiles[i]);
        write(pointDirect, StoreKey.of(string().encode(names[i]), Bytes.empty()));
        StoreKey held = StoreKey.of(string().encode("main"), FILE.encode(files[i]));
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

    /** Closes the stores. */
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
   * Runs blocks of direct and of typed operations by turns, so that a slow moment of the machine
   * slows both, and counts the time and allocation of each.
   */
  @State(Scope.Thread)
  @AuxCounters(AuxCounters.Type.EVENTS)
  public static class Pair {
    /** Operations of each kind. */
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

    /** Repeats the loop of {@link #direct}, because each must be compiled for its own work. */
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
    return FILE.encode(on.files[on.index()]);
  }

  @Benchmark
  public Object decodeComposite(Stores on) {
    return FILE.decode(on.encodedFiles[on.index()]);
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

  /** The store keeps what it is given, so each put brings a new key and a new mutation. */
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
        () -> hole.consume(on.rangeTyped.get("main", on.files[on.index()])));
  }

  private static <T> T join(CompletionStage<T> stage) {
    return stage.toCompletableFuture().join();
  }
}
