package dev.kvshift.legacy.server.example;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.legacy.server.Stores;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.ChangeSource;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.FenceOptions;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreKey;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests that the code in {@code docs/sources.md} is the code here, and that it works. */
class SourcesTest {
  private static final Pattern BLOCK = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);
  private static final Path ROOT = Path.of(System.getProperty("kvshift.root"));

  @TempDir Path directory;

  private static <T> T await(CompletionStage<T> stage) {
    try {
      return stage.toCompletableFuture().join();
    } catch (CompletionException e) {
      throw e.getCause() instanceof KvException known ? known : e;
    }
  }

  @Test
  void document_everyJavaBlock_standsInTheExample() throws IOException {
    StringBuilder example = new StringBuilder();
    Path sources = ROOT.resolve("kv-legacy-server/src/test/java/dev/kvshift/legacy/server/example");
    try (Stream<Path> files = Files.list(sources)) {
      for (Path file : files.sorted().toList()) {
        example.append(withoutIndent(Files.readString(file)));
      }
    }
    Matcher blocks = BLOCK.matcher(Files.readString(ROOT.resolve("docs/sources.md")));
    int found = 0;
    while (blocks.find()) {
      found++;
      assertThat(example).contains(withoutIndent(blocks.group(1)).strip());
    }
    assertThat(found).isEqualTo(4);
  }

  private static String withoutIndent(String text) {
    return String.join("\n", text.lines().map(String::strip).toList()) + "\n";
  }

  /** A log in memory whose offsets have gaps of 1 to 9. */
  private static final class GappyLog implements OldLog {
    final List<OldEntry> entries = new ArrayList<>();
    private final List<Runnable> waiting = new ArrayList<>();
    private long nextOffset = 100;
    private long dropped = 99;

    void add(String key) {
      nextOffset += 1 + nextOffset % 9;
      Row row = Row.tombstone(StoreKey.of(Bytes.utf8(key), Bytes.empty()), nextOffset);
      entries.add(new OldEntry(nextOffset, row));
      List<Runnable> wake = List.copyOf(waiting);
      waiting.clear();
      wake.forEach(Runnable::run);
    }

    @Override
    public List<OldEntry> after(long offset, int maxEntries) {
      return entries.stream().filter(entry -> entry.offset() > offset).limit(maxEntries).toList();
    }

    @Override
    public long droppedOffset() {
      return dropped;
    }

    void drop(int count) {
      dropped = entries.get(count - 1).offset();
      entries.subList(0, count).clear();
    }

    @Override
    public void onAdded(long offset, Runnable added) {
      waiting.add(added);
    }
  }

  private List<Row> readAll(ChangeSource changes, long from) {
    List<Row> rows = new ArrayList<>();
    long position = from;
    while (true) {
      ChangeSource.Batch batch = await(changes.read(position, 1 << 20, Duration.ZERO));
      List<ChangeSource.Change> read = ((ChangeSource.Data) batch).changes();
      if (read.isEmpty()) {
        return rows;
      }
      for (ChangeSource.Change change : read) {
        assertThat(change.position()).isEqualTo(++position);
        rows.add(change.row());
      }
    }
  }

  @Test
  void changes_gappyOffsets_haveDensePositionsThatSurviveARestart() {
    GappyLog log = new GappyLog();
    Path file = directory.resolve("positions");
    OffsetChanges changes = new OffsetChanges(log, new Positions(file, 99));
    for (int i = 0; i < 2_500; i++) {
      log.add("key" + i);
    }
    List<Row> rows = log.entries.stream().map(OldLog.OldEntry::row).toList();
    assertThat(readAll(changes, 0)).isEqualTo(rows);
    log.drop(1_200);

    OffsetChanges again = new OffsetChanges(log, new Positions(file, log.droppedOffset()));

    assertThat(readAll(again, 2_345)).isEqualTo(rows.subList(2_345, 2_500));
    assertThat(readAll(again, 2_500)).isEmpty();
    assertThat(await(again.window())).isEqualTo(ChangeSource.Window.of(2_001, 2_500));
    assertThatThrownBy(() -> readAll(again, 1_100))
        .isInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("no longer retained");
    assertThatThrownBy(() -> readAll(again, 2_501)).isInstanceOf(KvException.Permanent.class);
  }

  @Test
  void changes_atTheEnd_waitForTheNext() {
    GappyLog log = new GappyLog();
    OffsetChanges changes = new OffsetChanges(log, new Positions(directory.resolve("p"), 99));
    CompletableFuture<ChangeSource.Batch> waiting =
        changes.read(0, 100, Duration.ofSeconds(30)).toCompletableFuture();
    assertThat(waiting).isNotDone();

    log.add("key");

    assertThat(await(waiting).position()).isEqualTo(1);
  }

  @Test
  void idList_stoppedServices_isScannedWholeAndHandedOverByItsAuthority() {
    Map<Bytes, Bytes> old = new HashMap<>();
    for (int i = 0; i < 300; i++) {
      old.put(Bytes.utf8("id" + i), Bytes.utf8("value" + i));
    }
    TreeSet<Bytes> ids = new TreeSet<>(old.keySet());
    ids.add(Bytes.utf8("deleted since the list was made"));
    String beside = "legacy+file://" + directory.resolve("authority");
    Call call = Call.within(Duration.ofSeconds(10));
    try (Store store = Stores.open(beside)) {
      IdListCollection collection =
          new IdListCollection(
              key -> Optional.ofNullable(old.get(key)),
              ids,
              await(store.open("orders", Layout.point(), Claim.ACTIVE)));
      Map<Bytes, Bytes> scanned = new HashMap<>();
      for (ScanTask task : await(collection.scanTasks(4, call))) {
        Bytes position = null;
        do {
          ScanPage page = await(collection.scan(task, position, PageLimit.entries(7), call));
          for (Row row : page.rows()) {
            assertThat(task.contains(collection.token(row.key()))).isTrue();
            assertThat(scanned.put(row.key().main(), row.value())).isNull();
          }
          position = page.next();
        } while (position != null);
      }
      assertThat(scanned).isEqualTo(old);

      Gate.Fence fence =
          await(collection.gate().fence("try-1", FenceOptions.lasting(Duration.ofSeconds(30))));
      assertThat(await(collection.changes().read(0, 100, Duration.ZERO)))
          .isEqualTo(ChangeSource.Fenced.of(fence));
      assertThat(await(collection.gate().move("try-1")).phase()).isEqualTo(Phase.NEW_ONLY);
      assertThat(fence.version()).isGreaterThan(IdListCollection.VERSION);
    }
  }
}
