package dev.kvshift.demo;

import static org.assertj.core.api.Assertions.assertThat;

import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.cql.Row;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Layout;
import dev.kvshift.demo.catalog.CatalogCollection;
import dev.kvshift.demo.catalog.ClassFile;
import dev.kvshift.demo.catalog.ClassFileCatalog;
import dev.kvshift.demo.input.ClassFileReader;
import dev.kvshift.demo.proto.PackageFile;
import dev.kvshift.embedded.CassandraNode;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.migrate.PartitionScan;
import dev.kvshift.migrate.api.ScanRate;
import dev.kvshift.model.Stores;
import dev.kvshift.model.advise.PartitionLimits;
import dev.kvshift.model.advise.PartitionReport;
import dev.kvshift.model.advise.PartitionReport.Prediction;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

/** Compares the sizes that {@code ./kv advise} predicts for the demo with those a node reports. */
final class DemoPredictionTest {
  private static final int FILES = 100_000;
  private static final int IN_FLIGHT = 256;
  private static final int MEBIBYTE = 1 << 20;

  /**
   * The node has a histogram of partition sizes whose buckets grow by this factor, and reports the
   * upper end of the highest one in use, in whole mebibytes, rounded down.
   */
  private static final double BUCKET_GROWTH = 1.2;

  @Test
  void advise_demosPackages_isWhatTheNodeReportsAfterAFlush() throws IOException {
    Layout layout = ClassFileCatalog.PACKAGE_FILES.layout();
    Prediction predicted;
    long largest;
    try (CassandraNode node =
            CassandraNode.builder()
                .setting("commitlog_sync", "periodic")
                .setting("commitlog_sync_period", "10s")
                .start();
        Store memory = MemoryStoreProvider.open("prediction")) {
      try (Store target =
          Stores.open(
              "scylla://"
                  + node.address()
                  + "/demo?create=if-missing&replication=1&timeout=20s&localDatacenter="
                  + node.datacenter())) {
        load(open(memory), open(target));
      }
      PartitionReport report =
          new PartitionScan(memory, Duration.ofSeconds(30), ScanRate.unlimited())
              .run(
                  CatalogCollection.PACKAGE_FILES.toString(),
                  layout,
                  PartitionLimits.defaults(),
                  1,
                  rows -> {})
              .report();
      assertThat(report.entries()).isGreaterThan(FILES * 9 / 10);
      predicted = report.prediction(layout.rule()).orElseThrow();
      node.restart();
      largest = largestMebibytes(node) * MEBIBYTE;
    }
    System.out.printf(
        "largest partition of %d: predicted %d bytes, reported %d%n",
        predicted.partitions(), predicted.bytes().max(), largest);
    assertThat(predicted.bytes().max()).isGreaterThan(2 * MEBIBYTE);
    assertThat((double) largest)
        .isBetween(
            predicted.bytes().max() * 0.9 - MEBIBYTE, predicted.bytes().max() * BUCKET_GROWTH);
  }

  private static StoreCollection open(Store store) {
    return store
        .open(
            CatalogCollection.PACKAGE_FILES.toString(),
            ClassFileCatalog.PACKAGE_FILES.layout(),
            Claim.ACTIVE)
        .toCompletableFuture()
        .join();
  }

  private static void load(StoreCollection memory, StoreCollection target) throws IOException {
    List<CompletionStage<Long>> writes = new ArrayList<>();
    ClassFileReader.read(
        Path.of("no jars"),
        FILES,
        file -> {
          Mutation put = Mutation.put(value(file));
          Call call = Call.within(Duration.ofSeconds(20));
          writes.add(memory.write(key(file), put, call));
          writes.add(target.write(key(file), put, call));
          if (writes.size() >= IN_FLIGHT) {
            awaitAll(writes);
          }
          return 1;
        });
    awaitAll(writes);
  }

  private static void awaitAll(List<CompletionStage<Long>> writes) {
    writes.forEach(write -> write.toCompletableFuture().join());
    writes.clear();
  }

  private static StoreKey key(ClassFile file) {
    return file.packageFileKey().storeKey();
  }

  private static Bytes value(ClassFile file) {
    return Bytes.of(
        PackageFile.newBuilder()
            .setSizeBytes(file.sizeBytes())
            .setClassFileMajor(file.major())
            .build()
            .toByteArray());
  }

  private static long largestMebibytes(CassandraNode node) {
    try (CqlSession session =
        CqlSession.builder()
            .addContactPoint(node.contactPoint())
            .withLocalDatacenter(node.datacenter())
            .build()) {
      long largest = -1;
      for (Row row :
          session.execute("SELECT keyspace_name, mebibytes FROM system_views.max_partition_size")) {
        if (Objects.equals(row.getString(0), "demo")) {
          largest = Math.max(largest, row.getLong(1));
        }
      }
      return largest;
    }
  }
}
