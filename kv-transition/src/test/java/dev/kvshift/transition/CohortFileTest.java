package dev.kvshift.transition;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Cohort;
import dev.kvshift.api.KvException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class CohortFileTest {
  private static final Bytes MAIN = Bytes.of(new byte[] {1, (byte) 0xfe});

  @TempDir private Path folder;
  private Path file = Path.of("");

  @BeforeEach
  void name() {
    file = folder.resolve("cohort");
  }

  private Cohort read(List<String> lines) throws IOException {
    Files.write(file, lines);
    return CohortFile.read(file);
  }

  @Test
  void read_lines_chooseTheirMainKeys() throws IOException {
    Cohort cohort = read(List.of("# beta", "", "files 01FE", "  items\t01fe  "));
    assertThat(cohort.includes("files", MAIN)).isTrue();
    assertThat(cohort.includes("items", MAIN)).isTrue();
    assertThat(cohort.includes("orders", MAIN)).isFalse();
    assertThat(cohort.includes("files", Bytes.of(new byte[] {1}))).isFalse();
  }

  @ParameterizedTest
  @ValueSource(strings = {"files", "files 01 02", "files 1", "files secret"})
  void read_lineOfAnotherForm_isRefusedByItsNumber(String line) {
    assertThatThrownBy(() -> read(List.of("files 01", line)))
        .isExactlyInstanceOf(KvException.Permanent.class)
        .hasMessage(
            "the cohort in "
                + file
                + " has a line 2 that is not 'COLLECTION HEX', a main key's bytes");
  }

  @Test
  void read_fileThatIsNotThere_isRefused() {
    assertThatThrownBy(() -> CohortFile.read(file))
        .isExactlyInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("cannot be read")
        .hasMessageContaining("check parameter 'cohort'");
  }

  @Test
  void read_tooManyLines_isRefused() throws IOException {
    assertThat(read(Collections.nCopies(CohortFile.MAX_LINES, "files 01"))).isNotNull();
    assertThatThrownBy(() -> read(Collections.nCopies(CohortFile.MAX_LINES + 1, "files 01")))
        .isExactlyInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("more than 100000 lines: use a ramp");
  }
}
