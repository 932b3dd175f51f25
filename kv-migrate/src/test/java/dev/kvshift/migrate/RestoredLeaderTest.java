package dev.kvshift.migrate;

import static dev.kvshift.testkit.concurrent.Await.join;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.embedded.KafkaBroker;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.model.Stores;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.FenceOptions;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.testkit.fixture.TestCopy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A leader whose folder is replaced by an older copy of it. */
final class RestoredLeaderTest {
  @TempDir private Path directory;

  private final String targetString = "memory://restored-" + UUID.randomUUID();
  private final Store target = Stores.open(targetString);

  @AfterEach
  void close() {
    target.close();
  }

  @Test
  void open_leaderBackFromAnOlderFolderAfterTheMove_isServedByTheNewStore() throws IOException {
    Copy copy;
    try (Store store = open("store")) {
      StoreCollection files = files(store);
      write(files, 0, "old");
      copy = TestCopy.announce(files);
    }
    StoreCollection onNew =
        join(target.open(Sides.COLLECTION, Sides.LAYOUT, Claim.importing(copy)));
    backUp();
    try (Store store = open("store")) {
      Gate gate = files(store).gate();
      FenceOptions options = FenceOptions.lasting(Duration.ofSeconds(30));
      join(gate.fence("try", options.givingUp(Set.of("unnamed"))));
      join(target.activate(Sides.COLLECTION, copy, join(gate.move("try")).floor()));
    }
    try (KvStore service = Stores.connect(transition())) {
      Key key = Key.of(Sides.key(0).main(), Sides.key(0).clustering());
      service.collection(Sides.COLLECTION, Sides.LAYOUT).put(key, Bytes.utf8("new"));
    }
    assertThat(value(onNew)).isEqualTo("new");
    try (Store store = open("backup")) {
      StoreCollection files = files(store);
      assertThat(value(files)).isEqualTo("old");
      assertThat(join(files.gate().state()).phase()).isEqualTo(Phase.LEGACY);
    }
  }

  @Test
  void stream_logRestoredAndGrownPastItsPosition_isRefused() throws IOException {
    try (Store store = open("store")) {
      fill(store, 20);
      migrate(store, Migration::prepare);
    }
    backUp();
    try (Store store = open("store")) {
      fill(store, 10);
      migrate(
          store,
          migration -> {
            migration.prepare();
            migration.start();
            migration.copy();
            migration.catchUp();
          });
    }
    try (Store store = open("backup")) {
      fill(store, 30);
      migrate(
          store,
          migration ->
              assertThatThrownBy(migration::run)
                  .isInstanceOf(KvException.Permanent.class)
                  .hasMessageContaining("is not the one that was streamed"));
      assertThat(join(files(store).gate().state()).phase()).isEqualTo(Phase.LEGACY);
    }
  }

  private Store open(String folder) {
    return Stores.open(string(folder));
  }

  private String string(String folder) {
    return "legacy+file://" + directory.resolve(folder) + "?partitions=8";
  }

  private String transition() {
    return ConnectionString.of("transition")
        .withHosts(List.of(ConnectionString.Host.of("service")))
        .withParameters(Map.of("old", string("backup"), "new", targetString))
        .print();
  }

  private static StoreCollection files(Store store) {
    return join(store.open(Sides.COLLECTION, Sides.LAYOUT, Claim.ACTIVE));
  }

  private static void fill(Store store, int rows) {
    StoreCollection files = files(store);
    for (int i = 0; i < rows; i++) {
      write(files, i, "value-" + i);
    }
  }

  private static void write(StoreCollection files, int number, String value) {
    join(files.write(Sides.key(number), Mutation.put(Bytes.utf8(value)), Sides.call()));
  }

  private static String value(StoreCollection collection) {
    Row row =
        Objects.requireNonNull(
            dev.kvshift.testkit.concurrent.Await.<@Nullable Row>join(
                collection.get(Sides.key(0), Sides.call())));
    return Objects.requireNonNull(row.value()).toUtf8();
  }

  private void migrate(Store source, Consumer<Migration> steps) {
    MigrationPlan plan =
        MigrationPlan.builder(Sides.COLLECTION, Sides.LAYOUT)
            .source(source)
            .target(target)
            .bootstrapServers(KafkaBroker.shared().bootstrapServers())
            .options(Sides.options(Sides.PATIENT))
            .build();
    try (Migration migration = Migration.of(plan, ProgressListener.NONE)) {
      steps.accept(migration);
    }
  }

  private void backUp() throws IOException {
    Path source = directory.resolve("store");
    Path copy = directory.resolve("backup");
    try (Stream<Path> files = Files.walk(source)) {
      for (Path file : files.toList()) {
        Files.copy(file, copy.resolve(source.relativize(file).toString()));
      }
    }
  }
}
