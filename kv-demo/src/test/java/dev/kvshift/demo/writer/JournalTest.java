package dev.kvshift.demo.writer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Bytes;
import dev.kvshift.demo.catalog.CatalogKey;
import dev.kvshift.demo.catalog.CatalogKey.FileInPackage;
import dev.kvshift.demo.catalog.CatalogKey.FileKey;
import dev.kvshift.demo.catalog.CatalogKey.PackageFileKey;
import dev.kvshift.demo.writer.Journal.Outcome;
import dev.kvshift.demo.writer.JournaledWrite.Delete;
import dev.kvshift.demo.writer.JournaledWrite.Put;
import dev.kvshift.demo.writer.JournaledWrite.PutExpiring;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class JournalTest {
  private static final Instant NOON = Instant.parse("2026-11-20T12:00:00Z");
  private static final CatalogKey FILE = new FileKey(Bytes.utf8("hash"));
  private static final CatalogKey PACKAGE_FILE =
      new PackageFileKey("java.util", new FileInPackage("Map.class", Bytes.utf8("hash")));

  @TempDir Path folder;

  @Test
  void read_returnsEveryKeyAndWriteInOrder() throws IOException {
    JournaledWrite put = new JournaledWrite(0, new Put(7), NOON);
    JournaledWrite expiring =
        new JournaledWrite(1, new PutExpiring(8, Duration.ofSeconds(3)), NOON.plusSeconds(1));
    JournaledWrite delete = new JournaledWrite(1, new Delete(), NOON.plusSeconds(2));
    Path file = folder.resolve("journal");
    try (Journal journal = new Journal(file)) {
      journal.key(FILE, true);
      journal.key(PACKAGE_FILE, false);
      journal.intent(put);
      journal.outcome(Outcome.ACKNOWLEDGED, NOON.plusMillis(1));
      journal.intent(expiring);
      journal.outcome(Outcome.UNKNOWN, NOON.plusMillis(2));
      journal.intent(delete);
      journal.outcome(Outcome.REFUSED, NOON.plusMillis(3));
    }

    assertThat(read(file))
        .containsExactly(
            FILE + " true",
            PACKAGE_FILE + " false",
            put + " ACKNOWLEDGED",
            expiring + " UNKNOWN",
            delete + " REFUSED");
  }

  @Test
  void read_ofAJournalCutOffAnywhereInAnOutcome_reportsTheWriteAsUnknown() throws IOException {
    JournaledWrite put = new JournaledWrite(0, new Put(7), NOON);
    Path file = folder.resolve("journal");
    long intentEnd;
    try (Journal journal = new Journal(file)) {
      journal.key(FILE, true);
      journal.intent(put);
      intentEnd = Files.size(file);
      journal.outcome(Outcome.ACKNOWLEDGED, NOON);
    }
    byte[] whole = Files.readAllBytes(file);
    for (int length = (int) intentEnd; length < whole.length; length++) {
      Path cut = Files.write(folder.resolve("cut"), Arrays.copyOf(whole, length));

      assertThat(read(cut)).containsExactly(FILE + " true", put + " UNKNOWN");
    }
  }

  private static List<String> read(Path file) throws IOException {
    List<String> found = new ArrayList<>();
    Journal.read(
        file,
        new Journal.Visitor() {
          @Override
          public void key(CatalogKey key, boolean loaded) {
            found.add(key + " " + loaded);
          }

          @Override
          public void write(JournaledWrite write, Outcome outcome, Instant ended) {
            found.add(write + " " + outcome);
          }
        });
    return found;
  }
}
