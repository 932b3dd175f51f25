package dev.kvshift.legacy.server.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.KvException;
import dev.kvshift.legacy.server.Stores;
import dev.kvshift.spi.Store;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests of stores that share one folder: the options in which they may differ. */
class FileProviderTest {
  @TempDir Path directory;

  private Store open(String options) {
    return Stores.open("legacy+file://" + directory + "?" + options);
  }

  @Test
  void open_syncedOnAFolderThatIsNot_isRefused() {
    try (Store unsynced = open("partitions=4&sync=false")) {
      assertThatThrownBy(() -> open("partitions=4&sync=true"))
          .isInstanceOf(KvException.Permanent.class)
          .hasMessageContaining("is open with sync=false");
      assertThatThrownBy(() -> open("partitions=4")).isInstanceOf(KvException.Permanent.class);
      open("partitions=4&sync=false").close();
      assertThat(unsynced.description()).contains("sync=false");
    }

    open("partitions=4&sync=true").close();
  }

  @Test
  void open_unsyncedOnAFolderThatIsSynced_getsMoreThanItAskedFor() {
    try (Store synced = open("partitions=4")) {
      open("partitions=4&sync=false").close();
      assertThat(synced.capabilities()).isNotEmpty();
    }
  }

  @Test
  void open_otherPartitionsOnAnOpenFolder_isRefused() {
    try (Store four = open("partitions=4")) {
      assertThatThrownBy(() -> open("partitions=5"))
          .isInstanceOf(KvException.Permanent.class)
          .hasMessageContaining("4 partitions, not 5");
      assertThat(four.capabilities()).isNotEmpty();
    }
  }
}
