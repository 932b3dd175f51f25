package dev.kvshift.legacy.server;

import static dev.kvshift.legacy.server.Stores.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.ChangeSource;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests of the identity of a change log over restarts, restores and drops. */
final class LogIdTest {
  @TempDir private Path directory;

  private Store open(String folder) {
    return Stores.open("legacy+file://" + directory.resolve(folder) + "?partitions=8");
  }

  private static StoreCollection files(Store store) {
    return await(store.open("files", Layout.point(), Claim.ACTIVE));
  }

  private static void write(StoreCollection collection, String key) {
    StoreKey storeKey = StoreKey.of(Bytes.utf8(key), Bytes.empty());
    await(
        collection.write(
            storeKey, Mutation.put(Bytes.utf8("v")), Call.within(Duration.ofSeconds(10))));
  }

  @Test
  void logId_afterARestart_isTheSame() {
    String origin;
    String second;
    try (Store store = open("store")) {
      StoreCollection collection = files(store);
      write(collection, "a");
      write(collection, "b");
      origin = await(collection.changes().logId(0));
      second = await(collection.changes().logId(2));
    }
    try (Store store = open("store")) {
      ChangeSource changes = files(store).changes();
      assertThat(await(changes.logId(0))).isEqualTo(origin);
      assertThat(await(changes.logId(2))).isEqualTo(second);
      write(files(store), "c");
      assertThat(await(changes.logId(0))).isEqualTo(origin);
      assertThat(await(changes.logId(2))).isEqualTo(second);
    }
  }

  @Test
  void logId_restoredAndGrownPastTheReader_isAnother() throws IOException {
    try (Store store = open("store")) {
      write(files(store), "a");
    }
    copy("store", "backup");
    String origin;
    String read;
    try (Store store = open("store")) {
      StoreCollection collection = files(store);
      write(collection, "b");
      origin = await(collection.changes().logId(0));
      read = await(collection.changes().logId(2));
    }
    try (Store restored = open("backup")) {
      StoreCollection collection = files(restored);
      assertThatThrownBy(() -> await(collection.changes().logId(2)))
          .isInstanceOf(KvException.Permanent.class)
          .hasMessageContaining("position 2");
      write(collection, "x");
      write(collection, "y");
      assertThat(await(collection.changes().logId(0))).isEqualTo(origin);
      assertThat(await(collection.changes().logId(2))).isNotEqualTo(read);
    }
  }

  @Test
  void logId_askedBeforeTheFirstChange_staysTheOrigin() {
    String origin;
    try (Store store = open("store")) {
      origin = await(files(store).changes().logId(0));
    }
    try (Store store = open("store")) {
      write(files(store), "a");
      assertThat(await(files(store).changes().logId(0))).isEqualTo(origin);
      assertThat(await(files(store).changes().logId(1))).isNotEqualTo(origin);
    }
  }

  @Test
  void logId_droppedAndMadeAnew_isAnother() {
    try (Store store = open("store")) {
      String origin = await(files(store).changes().logId(0));
      await(store.drop("files", 1));
      assertThat(await(files(store).changes().logId(0))).isNotEqualTo(origin);
    }
  }

  @Test
  void gate_copy_survivesARestart() {
    Copy copy = Copy.draw("test");
    try (Store store = open("store")) {
      Gate gate = files(store).gate();
      Gate.State now = await(gate.state());
      assertThat(await(gate.compareAndSet(now, now.withCopy(copy)))).isTrue();
    }
    try (Store store = open("store")) {
      assertThat(await(files(store).gate().state()).copy()).isEqualTo(copy);
    }
  }

  private void copy(String from, String to) throws IOException {
    Path source = directory.resolve(from);
    try (Stream<Path> files = Files.walk(source)) {
      for (Path file : files.toList()) {
        Files.copy(file, directory.resolve(to).resolve(source.relativize(file).toString()));
      }
    }
  }
}
