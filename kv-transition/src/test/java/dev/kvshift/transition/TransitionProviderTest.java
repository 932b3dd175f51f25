package dev.kvshift.transition;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.model.Stores;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class TransitionProviderTest {
  private static final Key KEY = Key.of(Bytes.utf8("key"));
  private static final Bytes VALUE = Bytes.utf8("value");

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "transition://n?old=memory://provider-old&new=memory://provider-new",
        "transition://n?old=memory%3A%2F%2Fprovider-old&new=memory%3A%2F%2Fprovider-new",
        "transition://n?old=file:FOLDER/old&new=file:FOLDER/new"
      })
  void open_sidesWholeEncodedOrByReference_servesTheOldSide(String text) throws IOException {
    Files.writeString(folder.resolve("old"), "memory://provider-old\n");
    Files.writeString(folder.resolve("new"), "memory://provider-new\n");
    try (KvStore old = Stores.connect("memory://provider-old");
        KvStore store = Stores.connect(text.replace("FOLDER", folder.toString()))) {
      store.collection("given", Layout.point()).put(KEY, VALUE);
      assertThat(old.collection("given", Layout.point()).get(KEY)).contains(VALUE);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "transition://n?old=memory://a | transition:// needs the parameter 'new': add new=…",
        "transition://n?new=memory://a | transition:// needs the parameter 'old': add old=…",
        "transition://n?old=memory://a&nwe=b"
            + " | transition:// takes no parameter 'nwe', did you mean 'new'? it takes cohort, new,"
            + " old, prefer",
        "transition://n?old=env:KVSHIFT_NO_SUCH&new=memory://a"
            + " | parameter 'old' of transition:// is env:KVSHIFT_NO_SUCH",
      })
  void open_wrongParameters_saysWhatToMend(String text, String message) {
    assertThatThrownBy(() -> Stores.connect(text))
        .isInstanceOf(KvException.Permanent.class)
        .hasMessageContaining(message);
  }
}
