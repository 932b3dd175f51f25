package dev.kvshift.bench.partition;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.ShardRule;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.util.Collection;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

final class PartitionSizeTest {
  private static final String NAME = "jmh-partition-size";

  @BeforeAll
  static void ignoreLock() {
    // JMH lets one process of a machine measure at a time; this one does not measure.
    System.setProperty("jmh.ignoreLock", "true");
  }

  @Test
  void run_everyPlaceAndDirectory_measuresAndLeavesNothing() throws Exception {
    try (Store store = MemoryStoreProvider.open("jmh-run")) {
      Collection<RunResult> results =
          run(
              benchmark("jmh-run")
                  .param("bits", "0", "12")
                  .param("place", "start", "middle", "end", "across")
                  .param("directory", "cached", "cold")
                  .param("deletedPercent", "50"));

      assertThat(results).hasSize(3 * 2 * 4 * 2);
      assertThat(results)
          .allSatisfy(result -> assertThat(result.getPrimaryResult().getScore()).isPositive());
      assertThat(join(CollectionRecord.read(store.metadata(), NAME))).isNull();
      assertThat(join(CollectionRecord.read(store.metadata(), NAME + "_shards"))).isNull();
      StoreCollection again = join(store.open(NAME, Layout.range(ShardRule.none()), Claim.ACTIVE));
      assertThat(join(again.get(new MainKey(1_000, 500).key(999), within()))).isNull();
    }
  }

  @Test
  void run_collectionExists_isRefusedAndLeavesItAsItIs() throws Exception {
    try (Store store = MemoryStoreProvider.open("jmh-taken")) {
      StoreCollection taken = join(store.open(NAME, Layout.range(ShardRule.none()), Claim.ACTIVE));
      StoreKey key = new MainKey(1_000, 0).key(1);
      Bytes value = Bytes.utf8("somebody's");
      join(taken.write(key, Mutation.put(value), within()));

      assertThat(refusal(benchmark("jmh-taken").param("bits", "0")))
          .isInstanceOf(KvException.Permanent.class)
          .hasMessage(
              "collection jmh-partition-size exists already on memory://jmh-taken, and is left as"
                  + " it is, because the benchmark drops the collection that it uses: give another"
                  + " name with -p collection=NAME");
      assertThat(join(taken.get(key, within())).value()).isEqualTo(value);
    }
  }

  @Test
  void run_wrongParameter_saysWhatToGive() {
    assertThat(refusal(benchmark("jmh-wrong").param("store", "")))
        .hasMessage("no store: give -p store=scylla://…");
    assertThat(refusal(benchmark("jmh-wrong").param("place", "last")))
        .hasMessage("place=last: give start, middle, end or across");
    assertThat(refusal(benchmark("jmh-wrong").param("deletedPercent", "100")))
        .hasMessage("deletedPercent=100: give a number from 0 to 99");
  }

  private static ChainedOptionsBuilder benchmark(String store) {
    return new OptionsBuilder()
        .include(PartitionSize.class.getName())
        .forks(0)
        .warmupIterations(0)
        .measurementIterations(1)
        .measurementTime(TimeValue.milliseconds(10))
        .verbosity(VerboseMode.SILENT)
        .shouldFailOnError(true)
        .param("store", "memory://" + store)
        .param("entries", "1000");
  }

  private static Collection<RunResult> run(ChainedOptionsBuilder options) throws RunnerException {
    return new Runner(options.build()).run();
  }

  /** Runs a benchmark that is refused. JMH suppresses the exceptions of its threads in its own. */
  private static Throwable refusal(ChainedOptionsBuilder options) {
    RunnerException failed = catchThrowableOfType(RunnerException.class, () -> run(options));
    return failed.getCause().getSuppressed()[0];
  }

  private static Call within() {
    return Call.within(Duration.ofSeconds(10));
  }

  private static <T> T join(CompletionStage<T> stage) {
    return stage.toCompletableFuture().join();
  }
}
