package dev.kvshift.migrate.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.KvException;
import dev.kvshift.migrate.api.DifferenceCounts;
import dev.kvshift.migrate.api.Failure;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.VerifyReport;
import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

final class ExitCodeTest {
  private static final Pattern ROW = Pattern.compile("(?m)^\\| (\\d+) \\| [^|]+ \\|$");

  @Test
  void codes_documented_areThoseOfTheCommands() throws Exception {
    String page = Files.readString(Path.of("../docs/runner.md"));
    String table = page.substring(page.indexOf("## Exit codes"), page.indexOf("## Limits"));
    List<Integer> documented = new ArrayList<>();
    for (Matcher row = ROW.matcher(table); row.find(); ) {
      documented.add(Integer.valueOf(row.group(1)));
    }
    List<Integer> codes = new ArrayList<>();
    for (Field field : ExitCode.class.getDeclaredFields()) {
      if (field.getType() == int.class) {
        codes.add(field.getInt(null));
      }
    }

    assertThat(documented).containsExactlyElementsOf(codes.stream().sorted().toList());
  }

  @Test
  void of_eachFailure_isTheCodeOfItsKind() {
    VerifyReport report =
        new VerifyReport(0, 0, 0, DifferenceCounts.of(List.of()), List.of(), Duration.ZERO);

    assertCode(new MigrationException.CutoverRefused(""), Failure.REFUSED, 6);
    assertCode(new MigrationException.Mismatch("", report), Failure.MISMATCH, 5);
    assertCode(new MigrationException.TooManyErrors(""), Failure.TOO_MANY_ERRORS, 4);
    assertCode(new KvException.Transient(""), Failure.UNAVAILABLE, 7);
    assertCode(new KvException.UnknownOutcome(""), Failure.UNAVAILABLE, 7);
    assertCode(new KvException.Permanent(""), Failure.WRONG, 2);
    assertCode(new IllegalArgumentException(), Failure.WRONG, 2);
    assertCode(new IOException(), Failure.INTERNAL, 1);
  }

  private static void assertCode(Exception failure, Failure kind, int code) {
    assertThat(Failure.of(failure)).isEqualTo(kind);
    assertThat(ExitCode.of(failure)).isEqualTo(code);
    assertThat(ExitCode.of(kind)).isEqualTo(code);
    assertThat(Failure.of(kind.word())).contains(kind);
  }
}
