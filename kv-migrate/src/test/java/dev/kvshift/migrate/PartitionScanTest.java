package dev.kvshift.migrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.migrate.api.ScanRate;
import dev.kvshift.model.advise.PartitionLimits;
import dev.kvshift.model.advise.PartitionReport;
import dev.kvshift.spi.ForwardingStore;
import dev.kvshift.spi.Store;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class PartitionScanTest {
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  @Test
  void run_deletedEntries_countsTheLiveOnesOfEveryMainKey() {
    try (Sides sides = new Sides()) {
      sides.fill(3_000);
      sides.delete(Sides.key(7));
      List<Long> told = new ArrayList<>();

      PartitionScan.Result result =
          new PartitionScan(sides.source, PATIENCE, ScanRate.unlimited())
              .run(Sides.COLLECTION, Sides.LAYOUT, PartitionLimits.defaults(), 1, told::add);

      PartitionReport report = result.report();
      assertThat(report.entries()).isEqualTo(2_999);
      assertThat(report.mains()).isEqualTo(100);
      assertThat(report.mainEntries().max()).isEqualTo(30);
      assertThat(told).containsExactly(1_000L, 2_000L, 3_000L);
    }
  }

  @Test
  void run_rowsPerSecond_readsASecondsRowsAtATimeAndNoFaster() {
    try (Sides sides = new Sides()) {
      sides.fill(300);
      List<Long> told = new ArrayList<>();

      long begun = System.nanoTime();
      new PartitionScan(sides.source, PATIENCE, ScanRate.rowsPerSecond(100))
          .run(Sides.COLLECTION, Sides.LAYOUT, PartitionLimits.defaults(), 1, told::add);

      assertThat(Duration.ofNanos(System.nanoTime() - begun))
          .isGreaterThan(Duration.ofMillis(1_900));
      assertThat(told).containsExactly(100L, 200L, 300L);
    }
  }

  @Test
  void run_collectionInShards_isRefused() {
    try (Sides sides = Sides.sharded()) {
      Layout layout = sides.layout;
      Store mapped =
          new ForwardingStore(sides.target) {
            @Override
            public String mapping(String collection) {
              return "files-1";
            }
          };

      for (Store store : List.of(sides.target, mapped)) {
        assertThatThrownBy(
                () ->
                    new PartitionScan(store, PATIENCE, ScanRate.unlimited())
                        .run(Sides.COLLECTION, layout, PartitionLimits.defaults(), 1, rows -> {}))
            .isInstanceOf(KvException.Permanent.class)
            .hasMessageContaining(
                "goes shard by shard, so the entries of a main key are not adjacent");
      }
    }
  }
}
