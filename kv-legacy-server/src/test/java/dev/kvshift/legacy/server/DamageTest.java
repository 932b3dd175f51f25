package dev.kvshift.legacy.server;

import static dev.kvshift.legacy.server.Stores.await;
import static dev.kvshift.legacy.server.Stores.unhurried;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.legacy.server.internal.commit.Table;
import dev.kvshift.legacy.server.internal.engine.Engine;
import dev.kvshift.legacy.server.internal.storage.EngineOptions;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.StoreKey;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests of truncated and altered files: a clear error, never wrong data. */
class DamageTest {
  private static final int ROWS = 2_000;

  @TempDir Path directory;

  @BeforeEach
  void fill() {
    try (Engine engine = Engine.open(EngineOptions.of(directory, 4))) {
      Table table = await(engine.collection("files"));
      List<CompletableFuture<Long>> writes = new ArrayList<>();
      for (int i = 0; i < ROWS; i++) {
        Mutation mutation = Mutation.put(Bytes.utf8("value " + i));
        writes.add(engine.write(table, key(i), mutation, unhurried()));
      }
      writes.forEach(Stores::await);
    }
  }

  private static StoreKey key(int i) {
    return StoreKey.of(Bytes.utf8("main" + i), Bytes.empty());
  }

  private Path largest(String suffix) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files
          .filter(file -> file.getFileName().toString().endsWith(suffix))
          .max(Comparator.comparingLong(file -> file.toFile().length()))
          .orElseThrow();
    }
  }

  private static void alter(Path file, long at) throws IOException {
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      ByteBuffer bytes = ByteBuffer.allocate(16);
      channel.read(bytes, at);
      for (int i = 0; i < bytes.capacity(); i++) {
        bytes.put(i, (byte) ~bytes.get(i));
      }
      bytes.rewind();
      channel.write(bytes, at);
    }
  }

  private void assertOpenRefused() {
    assertThatThrownBy(() -> Engine.open(EngineOptions.of(directory, 4)).close())
        .isInstanceOf(KvException.Permanent.class)
        .hasMessageContaining(directory.toString());
  }

  @Test
  void open_alteredInTheMiddleOfTheLog_isRefused() throws IOException {
    Path log = largest(".log");
    alter(log, Files.size(log) / 2);

    assertOpenRefused();
  }

  @Test
  void open_emptyManifestPointer_isRefused() throws IOException {
    Files.write(directory.resolve("CURRENT"), new byte[0]);

    assertOpenRefused();
  }

  @Test
  void open_alteredManifest_isRefused() throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      Path manifest =
          files
              .filter(file -> file.getFileName().toString().startsWith("MANIFEST-"))
              .findFirst()
              .orElseThrow();
      alter(manifest, Files.size(manifest) / 2);
    }

    assertOpenRefused();
  }

  @Test
  void get_alteredTable_isAnErrorAndNotAWrongValue() throws IOException {
    Engine.open(EngineOptions.of(directory, 4)).close();
    Path table = largest(".sst");
    alter(table, Files.size(table) / 3);
    int wrong = 0;
    int refused = 0;
    try (Engine engine = Engine.open(EngineOptions.of(directory, 4))) {
      Table files = await(engine.collection("files"));
      for (int i = 0; i < ROWS; i++) {
        try {
          wrong += engine.reads().get(files, key(i), 0) == null ? 1 : 0;
        } catch (KvException.Permanent e) {
          refused++;
        }
      }
      try {
        engine.reads().changes(files, 0, 16 << 20);
      } catch (KvException.Permanent e) {
        refused++;
      }
    } catch (KvException.Permanent e) {
      refused++;
    }

    assertThat(wrong).isZero();
    assertThat(refused).isPositive();
  }
}
