package dev.kvshift.demo.run;

import static dev.kvshift.testkit.concurrent.Await.join;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.PageLimit;
import dev.kvshift.demo.catalog.CatalogCollection;
import dev.kvshift.demo.catalog.ClassFileCatalog;
import dev.kvshift.demo.input.KeySample;
import dev.kvshift.demo.progress.ProgressLines;
import dev.kvshift.demo.proto.FileReport;
import dev.kvshift.demo.server.DemoServers;
import dev.kvshift.embedded.CassandraNode;
import dev.kvshift.migrate.api.DifferenceCounts;
import dev.kvshift.migrate.api.Way;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs a small demo on real servers. */
class DemoTest {
  private static final long SEED = 20_261_120;
  private static final int RECORDS = 4_000;

  @TempDir Path folder;

  @Test
  void demo_throughAllPhases_leavesNothingMissingExtraDifferentOrResurrected() throws IOException {
    DemoReport report = run(Way.DUAL_WRITE, false, target -> {});

    assertRight(report);
    assertThat(report.live().steadyWrite()).isPositive();
    assertThat(report.longestWrite()).isPositive();
  }

  @Test
  void demo_movedBackAndMovedAgain_leavesNothingMissingExtraDifferentOrResurrected()
      throws IOException {
    DemoReport report = run(Way.FENCE, true, target -> {});

    assertRight(report);
    assertThat(report.collections()).allSatisfy(each -> assertThat(each.wayBack()).isNotNull());
  }

  private static void assertRight(DemoReport report) {
    assertThat(report.problems()).isEmpty();
    assertThat(report.differences()).isEqualTo(DifferenceCounts.NONE);
    assertServed(report);
    assertThat(report.isRight()).isTrue();
  }

  /** Asserts that no request has failed, and that the range read has met each entry. */
  private static void assertServed(DemoReport report) {
    assertThat(report.failedRequests()).isZero();
    assertThat(report.records()).isGreaterThan(RECORDS / 2);
    assertThat(report.range().complete()).isTrue();
    assertThat(report.range().pagesBefore()).isPositive();
    assertThat(report.range().pagesAfter()).isPositive();
  }

  /** A collection that nobody broke is right: its differences would be among the problems. */
  @Test
  void demo_withATargetBrokenOnPurpose_reportsExactlyWhatWasBroken() throws IOException {
    List<StoreKey> broken = new ArrayList<>();

    DemoReport report = run(Way.FENCE, false, target -> broken.addAll(breakFiles(target)));

    assertServed(report);
    assertThat(report.differences()).isEqualTo(new DifferenceCounts(1, 1, 1, 0));
    assertThat(report.isRight()).isFalse();
    assertThat(report.problems()).hasSize(3);
    for (StoreKey key : broken) {
      assertThat(report.problems())
          .filteredOn(line -> line.contains(key.main().toHex()))
          .hasSize(1);
    }
  }

  /** Runs a demo on the shared node, in a keyspace of its own. */
  private DemoReport run(Way way, boolean wayBack, Consumer<Store> beforeCheck) throws IOException {
    System.out.println("seed " + SEED);
    Path noJars = folder.resolve("none");
    CassandraNode node = CassandraNode.shared();
    String target =
        "scylla://%s/demo_%s_%s?create=if-missing&replication=1&localDatacenter=%s"
            .formatted(
                node.address(),
                way.word().replace('-', '_'),
                wayBack ? "back" : "once",
                node.datacenter());
    try (DemoServers servers = DemoServers.start(folder, target)) {
      DemoOptions options =
          new DemoOptions(way, noJars, RECORDS, Duration.ofSeconds(1), SEED, wayBack);
      ProgressLines progress =
          new ProgressLines(new PrintWriter(System.err, true, StandardCharsets.UTF_8));
      return new Demo(servers, folder, options, progress, beforeCheck).run();
    }
  }

  /** Deletes a row, changes one and adds one, none of which the live writer uses. */
  private static List<StoreKey> breakFiles(Store target) {
    StoreCollection files =
        join(
            target.open(
                CatalogCollection.FILES.toString(), ClassFileCatalog.FILES.layout(), Claim.NONE));
    List<Row> rows = untouchedRows(files, 2);
    Row dropped = rows.get(0);
    Row changed = rows.get(1);
    StoreKey added = StoreKey.of(Bytes.utf8("no class file has this hash"), Bytes.empty());
    Bytes other = Bytes.of(FileReport.newBuilder().setSizeBytes(1).build().toByteArray());
    long version = Math.max(dropped.version(), changed.version()) + 1;
    join(files.write(dropped.key(), Mutation.delete().withVersion(version), call()));
    join(files.write(changed.key(), Mutation.put(other).withVersion(version), call()));
    join(files.write(added, Mutation.put(other).withVersion(version), call()));
    return List.of(dropped.key(), changed.key(), added);
  }

  private static List<Row> untouchedRows(StoreCollection files, int count) {
    List<Row> rows = new ArrayList<>();
    for (ScanTask task : join(files.scanTasks(1, call()))) {
      Bytes position = null;
      do {
        ScanPage page = join(files.scan(task, position, PageLimit.entries(1_000), call()));
        page.rows().stream().filter(DemoTest::isUntouched).forEach(rows::add);
        position = page.next();
      } while (position != null && rows.size() < count);
      if (rows.size() >= count) {
        return rows.subList(0, count);
      }
    }
    throw new AssertionError("only " + rows.size() + " rows are left as they were loaded");
  }

  private static boolean isUntouched(Row row) {
    Bytes value = row.value();
    try {
      return value != null
          && !KeySample.mayContain(row.key().main())
          && FileReport.parseFrom(value.toByteArray()).getRevision() == 0;
    } catch (InvalidProtocolBufferException e) {
      throw new AssertionError(e);
    }
  }

  private static Call call() {
    return Call.within(Duration.ofSeconds(10));
  }
}
