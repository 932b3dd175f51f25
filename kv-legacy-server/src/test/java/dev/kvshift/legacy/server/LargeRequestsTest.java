package dev.kvshift.legacy.server;

import static dev.kvshift.legacy.server.Stores.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.RangePage.Stop;
import dev.kvshift.api.ShardRule;
import dev.kvshift.legacy.server.internal.storage.EngineOptions;
import dev.kvshift.legacy.wire.LegacyLimits;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.RowPage;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Requests at the documented limits fit into frames, and so do their replies. */
class LargeRequestsTest {
  private static final Bytes MAIN = Bytes.of(new byte[LegacyLimits.MAX_KEY_BYTES]);

  @TempDir Path directory;
  private RunningServer server;
  private Store store;
  private StoreCollection files;

  @BeforeEach
  void open() {
    server =
        RunningServer.start(
            EngineOptions.of(directory, 4).withSync(false), ServerOptions.loopback(0));
    store = Stores.open("legacy://" + server.address() + "?timeout=60s");
    files = await(store.open("files", Layout.range(ShardRule.none()), Claim.ACTIVE));
  }

  @AfterEach
  void close() {
    store.close();
    server.close();
  }

  private static Call call() {
    return Call.within(Duration.ofSeconds(60));
  }

  private void write(int rows, int clusteringBytes, Mutation mutation) {
    List<CompletionStage<Long>> writes = new ArrayList<>();
    for (int i = 0; i < rows; i++) {
      Bytes clustering = Bytes.of(ByteBuffer.allocate(clusteringBytes).putInt(0, i).array());
      writes.add(files.write(StoreKey.of(MAIN, clustering), mutation, call()));
    }
    writes.forEach(Stores::await);
  }

  @Test
  void range_pageOfManyRowsOfALargeMainKey_isOneReply() {
    write(1_000, 4, Mutation.put(Bytes.utf8("v")));

    RowPage page =
        await(files.range(MAIN, Bytes.empty(), Range.all(), PageLimit.entries(1_000), call()));

    assertThat(page.stop()).isEqualTo(Stop.END);
    assertThat(page.rows()).hasSize(1_000).allMatch(row -> row.key().main().equals(MAIN));
  }

  @Test
  void range_overManyTombstonesOfLargeKeys_isReadInPagesWithPositions() {
    write(300, LegacyLimits.MAX_KEY_BYTES, Mutation.delete());

    Range rest = Range.all();
    int pages = 0;
    int tombstones = 0;
    while (true) {
      RowPage page = await(files.range(MAIN, Bytes.empty(), rest, PageLimit.entries(10), call()));
      pages++;
      tombstones += page.rows().size();
      if (page.stop() == Stop.END) {
        break;
      }
      assertThat(page.stop()).isEqualTo(Stop.SCAN_LIMIT);
      assertThat(page.rows()).hasSize(16);
      rest = rest.withFrom(page.passed(), false);
    }

    assertThat(tombstones).isEqualTo(300);
    assertThat(pages).isEqualTo(19);
  }

  @Test
  void valueOfTheLargestSize_underKeysOfTheLargestSize_isWrittenAndRead() {
    Mutation largest = Mutation.put(Bytes.of(new byte[LegacyLimits.MAX_VALUE_BYTES]));
    write(1, LegacyLimits.MAX_KEY_BYTES, largest);

    RowPage page =
        await(files.range(MAIN, Bytes.empty(), Range.all(), PageLimit.entries(1), call()));

    assertThat(page.rows().get(0).value()).isEqualTo(largest.value());
  }

  @Test
  void tryLockAll_keysBeyondTheirBytes_isRefusedAndUpToThemLocked() {
    Set<Bytes> keys = new HashSet<>();
    int size = 32 << 10;
    for (int i = 0; i < LegacyLimits.MAX_LOCK_BATCH_BYTES / size; i++) {
      keys.add(Bytes.of(ByteBuffer.allocate(size).putInt(i).array()));
    }
    Duration lease = Duration.ofSeconds(10);

    assertThat(await(store.locks("stock").tryLockAll(keys, lease, call())).acquired())
        .hasSize(keys.size());

    keys.add(Bytes.utf8("k"));
    assertThatThrownBy(() -> await(store.locks("stock").tryLockAll(keys, lease, call())))
        .isInstanceOf(KvException.InvalidArgument.class)
        .hasMessageContaining("whose keys have 8388609 bytes, the limit is 8388608");
  }
}
