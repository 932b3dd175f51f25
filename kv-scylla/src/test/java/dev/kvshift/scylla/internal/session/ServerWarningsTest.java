package dev.kvshift.scylla.internal.session;

import static dev.kvshift.scylla.TestStores.await;
import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.KvObserver;
import dev.kvshift.api.KvObserver.Concern;
import dev.kvshift.api.KvObserver.Warning;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.ShardRule;
import dev.kvshift.scylla.CapturedLog;
import dev.kvshift.scylla.TestServer;
import dev.kvshift.scylla.TestStores;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Warnings that a Cassandra node sends from 1,000 tombstones on. ScyllaDB logs them itself. */
@Tag("own-server")
final class ServerWarningsTest {
  private static final int DELETES = 1_100;
  private static final Bytes SECRET = Bytes.utf8("somebodys-key");

  /** Keeps the warnings. */
  private static final class Told implements KvObserver {
    final ConcurrentLinkedQueue<Warning> warnings = new ConcurrentLinkedQueue<>();

    @Override
    public Ending begin(Start start) {
      return end -> {};
    }

    @Override
    public void warned(Warning warning) {
      warnings.add(warning);
    }
  }

  @Test
  void range_overManyTombstones_tellsTheObserverAndLogsOnceWithoutKeys() {
    ConnectionString string = TestServer.node().string(TestStores.newKeyspace(), "");
    Told told = new Told();
    List<String> logged;
    try (CapturedLog log = new CapturedLog();
        Store store = TestStores.open(string, VersionClock.ofProcess(), told)) {
      StoreCollection ranges =
          await(store.open("ranges", Layout.range(ShardRule.none()), Claim.ACTIVE));
      CompletableFuture.allOf(
              IntStream.range(0, DELETES)
                  .mapToObj(
                      i ->
                          ranges
                              .write(
                                  StoreKey.of(SECRET, Bytes.utf8("c" + i)),
                                  Mutation.delete(),
                                  call())
                              .toCompletableFuture())
                  .toArray(CompletableFuture[]::new))
          .join();
      assertThat(told.warnings).isEmpty();
      for (int i = 0; i < 2; i++) {
        await(ranges.range(SECRET, Bytes.empty(), Range.all(), PageLimit.entries(10), call()));
      }
      logged = log.lines().stream().filter(line -> line.startsWith("WARN the server")).toList();
    }
    assertThat(told.warnings).hasSize(2);
    assertThat(told.warnings)
        .allSatisfy(
            warning -> {
              assertThat(warning.store()).isEqualTo(string.toString());
              assertThat(warning.concern()).isEqualTo(Concern.TOMBSTONES);
              assertThat(warning.text()).contains("tombstone").doesNotContain("SELECT", hex());
            });
    assertThat(logged).hasSize(1);
    assertThat(logged.get(0))
        .contains("reading a range of collection ranges", "tombstone")
        .doesNotContain("SELECT", hex());
  }

  private static String hex() {
    return HexFormat.of().formatHex(SECRET.toByteArray());
  }

  private static Call call() {
    return Call.within(Duration.ofSeconds(10));
  }
}
