package dev.kvshift.model.advise;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.ShardRule;
import dev.kvshift.model.Seeds;
import dev.kvshift.model.advise.PartitionReport.Prediction;
import dev.kvshift.model.internal.encoding.Sharding;
import dev.kvshift.model.key.KeyFormat;
import dev.kvshift.model.key.Keys;
import dev.kvshift.model.key.RandomKeys;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

class PartitionAdvisorTest {
  private static final int OVERHEAD = 7;

  @Test
  void report_randomEncodedKeys_countsPartitionsAsTheShardRulesCutThem() throws Exception {
    Seeds.run(
        0,
        random -> {
          RandomKeys keys = new RandomKeys(random);
          KeyFormat<List<Object>> format = keys.composite();
          check(1, () -> keys.encodedKey(format), 3);
        });
  }

  @Test
  void report_randomRawKeys_countsPartitionsAsTheShardRulesCutThem() throws Exception {
    Seeds.run(
        1,
        random -> {
          RandomKeys keys = new RandomKeys(random);
          check(0, () -> keys.bytes(11), 0);
        });
  }

  @Test
  void report_oneLargeMainKey_recommendsTheFewestPartitionsThatFit() {
    PartitionAdvisor advisor = new PartitionAdvisor("hits", 1, limits(10_000_000, 1_000));
    for (long number = 0; number < 100_000; number++) {
      advisor.add(Bytes.utf8("m"), Keys.uint64().encode(number << 40), 100);
    }
    PartitionReport report = advisor.report();
    assertThat(report.recommended()).isEqualTo(ShardRule.firstBits(15));
    Prediction none = report.prediction(ShardRule.none()).orElseThrow();
    assertThat(none.fits()).isFalse();
    assertThat(none.entries().max()).isEqualTo(100_000);
    Prediction recommended = report.prediction(ShardRule.firstBits(15)).orElseThrow();
    assertThat(recommended.entries().max()).isEqualTo(512);
    assertThat(recommended.partitions()).isEqualTo(196);
    assertThat(recommended.shardsPerPage()).isBetween(1.19, 1.2);
    assertThat(report.toText())
        .contains(
            "hits: 100,000 entries, 11,600,000 bytes, 1 main keys", "recommended: shard=bits=15")
        .containsPattern("> bits=15 +196 ");
    assertThat(report.toJson())
        .startsWith("{\"collection\":\"hits\",\"maxBytes\":10000000,\"maxEntries\":1000,")
        .contains("\"recommended\":\"bits=15\"")
        .contains("{\"rule\":\"bits=15\",\"partitions\":196,");
  }

  @Test
  void report_smallMainKeys_recommendsNoShards() {
    PartitionAdvisor advisor = new PartitionAdvisor("small", 1, PartitionLimits.defaults());
    for (int main = 0; main < 100; main++) {
      advisor.add(Keys.int32().encode(main), Keys.int32().encode(1), 10);
    }
    assertThat(advisor.report().recommended()).isEqualTo(ShardRule.none());
  }

  @Test
  void report_entriesThatAloneAreTooLarge_recommendsNothing() {
    PartitionAdvisor advisor = new PartitionAdvisor("huge", 1, PartitionLimits.defaults());
    advisor.add(Bytes.utf8("m"), Keys.int32().encode(1), 20_000_000);
    assertThat(advisor.report().recommended()).isNull();
    assertThat(advisor.report().toText()).contains("no rule keeps the limits");
    assertThat(advisor.report().toJson()).contains("\"recommended\":null");
  }

  @Test
  void report_sample_isScaledUp() {
    PartitionAdvisor advisor =
        new PartitionAdvisor(
            "sample", 1, limits(10_000, 100).withEntryOverheadBytes(0).withScale(50));
    for (int i = 0; i < 10; i++) {
      advisor.add(Bytes.utf8("m"), Keys.int32().encode(i), 5);
    }
    Prediction none = advisor.report().prediction(ShardRule.none()).orElseThrow();
    assertThat(none.entries().max()).isEqualTo(500);
    assertThat(none.bytes().max()).isEqualTo(5_000);
    assertThat(none.fits()).isFalse();
  }

  @Test
  void add_entriesOutOfOrder_isRefused() {
    PartitionAdvisor advisor = new PartitionAdvisor("order", 0, PartitionLimits.defaults());
    advisor.add(Bytes.utf8("m"), Bytes.utf8("b"), 1);
    assertThatThrownBy(() -> advisor.add(Bytes.utf8("m"), Bytes.utf8("a"), 1))
        .isInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("in ascending order");
    advisor.add(Bytes.utf8("n"), Bytes.utf8("a"), 1);
  }

  private static PartitionLimits limits(long maxBytes, long maxEntries) {
    return PartitionLimits.defaults()
        .withMaxBytes(maxBytes)
        .withMaxEntries(maxEntries)
        .withEntryOverheadBytes(OVERHEAD);
  }

  private static void check(int encoding, Supplier<Bytes> newKey, int parts) {
    PartitionAdvisor advisor = new PartitionAdvisor("random", encoding, limits(400, 20));
    Map<Bytes, TreeSet<Bytes>> mains = new HashMap<>();
    for (int main = 0; main < 20; main++) {
      TreeSet<Bytes> clusterings = new TreeSet<>();
      for (int i = 0; i < main * main; i++) {
        clusterings.add(newKey.get());
      }
      clusterings.forEach(
          clustering -> advisor.add(Bytes.utf8("m"), clustering, clustering.size()));
      mains.put(Bytes.of((byte) main), clusterings);
      advisor.report();
    }
    PartitionReport report = advisor.report();
    assertThat(report.predictions()).hasSize(1 + ShardRule.MAX_LENGTH + parts);
    for (Prediction prediction : report.predictions()) {
      Sharding sharding = Sharding.of(Layout.of(Layout.Shape.RANGE, prediction.rule(), encoding));
      Map<List<Bytes>, Long> entries = new HashMap<>();
      Map<List<Bytes>, Long> bytes = new HashMap<>();
      mains.forEach(
          (main, clusterings) ->
              clusterings.forEach(
                  clustering -> {
                    List<Bytes> partition = List.of(main, sharding.shardOf(clustering));
                    entries.merge(partition, 1L, Long::sum);
                    bytes.merge(partition, 2L * clustering.size() + OVERHEAD, Long::sum);
                  }));
      assertThat(prediction.partitions()).isEqualTo(entries.size());
      assertThat(prediction.entries().max())
          .isEqualTo(entries.values().stream().mapToLong(Long::longValue).max().orElseThrow());
      assertThat(prediction.bytes().max())
          .isEqualTo(bytes.values().stream().mapToLong(Long::longValue).max().orElseThrow());
      List<Long> sorted = bytes.values().stream().sorted().toList();
      long half = sorted.get((sorted.size() + 1) / 2 - 1);
      assertThat(prediction.bytes().p50()).isBetween(half, half + half / 32);
    }
  }
}
