package dev.kvshift.scylla;

import static dev.kvshift.model.key.Keys.bytes;
import static dev.kvshift.model.key.Keys.composite;
import static dev.kvshift.model.key.Keys.string;
import static dev.kvshift.scylla.TestStores.await;
import static org.assertj.core.api.Assertions.assertThat;

import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.cql.Row;
import com.datastax.oss.driver.api.core.cql.SimpleStatement;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Layout;
import dev.kvshift.api.ShardRule;
import dev.kvshift.embedded.CassandraNode;
import dev.kvshift.model.Stores;
import dev.kvshift.model.advise.PartitionAdvisor;
import dev.kvshift.model.advise.PartitionLimits;
import dev.kvshift.model.advise.PartitionReport;
import dev.kvshift.model.advise.PartitionReport.Prediction;
import dev.kvshift.model.key.KeyFormat;
import dev.kvshift.scylla.internal.cql.TableNames;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Compares the partition-size advisor's report on files by package, as the demo stores them, with
 * what a node has on disk after a flush.
 */
@Tag("own-server")
final class PartitionPredictionTest {
  private static final long SEED = Long.getLong("kvshift.seed", 11);
  private static final ShardRule RULE = ShardRule.firstBits(8);
  private static final String KEYSPACE = "prediction";
  private static final String NAME = "package-files";
  private static final int IN_FLIGHT = 256;
  private static final int MEBIBYTE = 1 << 20;

  /**
   * The node counts partitions in size classes, and reports the upper end of the largest class in
   * whole mebibytes, rounded down.
   */
  private static final double SIZE_CLASS = 1.2;

  private record FileKey(String path, Bytes hash) {}

  private static final KeyFormat<String> MAIN = string();
  private static final KeyFormat<FileKey> CLUSTERING =
      composite(string(), bytes()).as(FileKey::new, FileKey::path, FileKey::hash);

  private final Random random = new Random(SEED);
  private final Map<Bytes, TreeMap<Bytes, Bytes>> files = new TreeMap<>();

  @Test
  void report_skewedFilesByPackage_isWhatTheNodeHasOnDisk() throws Exception {
    fill("com.example.generated", 60_000);
    for (int i = 0; i < 20; i++) {
      fill("com.example.large" + i, 500);
    }
    for (int i = 0; i < 200; i++) {
      fill("com.example.small" + i, 10);
    }
    PartitionReport report = predicted();
    Prediction predicted = report.prediction(RULE).orElseThrow();
    long predictedBytes = report.bytes();

    try (CassandraNode node =
        CassandraNode.builder()
            .setting("commitlog_sync", "periodic")
            .setting("commitlog_sync_period", "10s")
            .setting("memtable_heap_space", "128MiB")
            .start()) {
      load(node);
      node.restart();

      long largest = largestMebibytes(node) * MEBIBYTE;
      node.stop(Duration.ofSeconds(30));
      long written = bytesOnDisk(node);
      long entries = files.values().stream().mapToLong(Map::size).sum();
      System.out.printf(
          "seed %d: %d entries; predicted %d bytes, on disk %d, %.1f of overhead an entry;"
              + " largest partition predicted %d bytes, reported %d%n",
          SEED,
          entries,
          predictedBytes,
          written,
          PartitionLimits.DEFAULT_ENTRY_OVERHEAD_BYTES
              - (predictedBytes - written) / (double) entries,
          predicted.bytes().max(),
          largest);
      assertThat((double) predictedBytes / written).isBetween(0.95, 1.1);
      assertThat((double) largest)
          .isBetween(
              predicted.bytes().max() * 0.9 - MEBIBYTE, predicted.bytes().max() * SIZE_CLASS);
    }
  }

  /** Three in four files of a package begin with the same letter. */
  private void fill(String packageName, int count) {
    TreeMap<Bytes, Bytes> ofPackage = new TreeMap<>();
    for (int i = 0; i < count; i++) {
      char first = random.nextInt(4) > 0 ? 'G' : (char) ('A' + random.nextInt(26));
      String path = first + "enerated" + Integer.toHexString(random.nextInt()) + ".class";
      byte[] hash = new byte[32];
      random.nextBytes(hash);
      byte[] value = new byte[6 + random.nextInt(3)];
      random.nextBytes(value);
      ofPackage.put(CLUSTERING.encode(new FileKey(path, Bytes.of(hash))), Bytes.of(value));
    }
    files.put(MAIN.encode(packageName), ofPackage);
  }

  private PartitionReport predicted() {
    PartitionAdvisor advisor =
        new PartitionAdvisor(NAME, Layout.CURRENT_ENCODING, PartitionLimits.defaults());
    files.forEach(
        (main, ofPackage) ->
            ofPackage.forEach((key, value) -> advisor.add(main, key, value.size())));
    return advisor.report();
  }

  private void load(CassandraNode node) {
    String string =
        "scylla://"
            + node.address()
            + "/"
            + KEYSPACE
            + "?localDatacenter="
            + node.datacenter()
            + "&create=if-missing&replication=1&timeout=20s";
    try (Store store = Stores.open(string)) {
      StoreCollection collection = await(store.open(NAME, Layout.range(RULE), Claim.ACTIVE));
      List<CompletionStage<Long>> writes = new ArrayList<>();
      for (Map.Entry<Bytes, TreeMap<Bytes, Bytes>> ofPackage : files.entrySet()) {
        for (Map.Entry<Bytes, Bytes> file : ofPackage.getValue().entrySet()) {
          writes.add(
              collection.write(
                  StoreKey.of(ofPackage.getKey(), file.getKey()),
                  Mutation.put(file.getValue()),
                  Call.within(Duration.ofSeconds(20))));
          if (writes.size() == IN_FLIGHT) {
            writes.forEach(TestStores::await);
            writes.clear();
          }
        }
      }
      writes.forEach(TestStores::await);
    }
  }

  private static long largestMebibytes(CassandraNode node) {
    try (CqlSession session =
        CqlSession.builder()
            .addContactPoint(node.contactPoint())
            .withLocalDatacenter(node.datacenter())
            .build()) {
      Row row =
          session
              .execute(
                  SimpleStatement.newInstance(
                      "SELECT mebibytes FROM system_views.max_partition_size"
                          + " WHERE keyspace_name = ? AND table_name = ?",
                      KEYSPACE,
                      TableNames.data(NAME, 1)))
              .one();
      return Objects.requireNonNull(row).getLong(0);
    }
  }

  /** Sums the uncompressed lengths of the table's files, which are stored beside them. */
  private static long bytesOnDisk(CassandraNode node) throws IOException {
    List<Path> found;
    try (Stream<Path> all = Files.walk(node.folder().resolve("data/data").resolve(KEYSPACE))) {
      found =
          all.filter(path -> path.toString().contains("/" + TableNames.data(NAME, 1) + "-"))
              .filter(path -> path.toString().endsWith("-CompressionInfo.db"))
              .toList();
    }
    assertThat(found).isNotEmpty();
    long bytes = 0;
    for (Path path : found) {
      try (DataInputStream in = new DataInputStream(Files.newInputStream(path))) {
        in.readUTF();
        for (int options = in.readInt(); options > 0; options--) {
          in.readUTF();
          in.readUTF();
        }
        in.skipNBytes(2L * Integer.BYTES);
        bytes += in.readLong();
      }
    }
    return bytes;
  }
}
