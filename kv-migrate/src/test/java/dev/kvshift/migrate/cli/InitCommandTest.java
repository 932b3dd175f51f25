package dev.kvshift.migrate.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.kvshift.api.Layout;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class InitCommandTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @TempDir private Path folder;

  @Test
  void init_nothingGiven_writesTheAnnotatedExample() throws IOException {
    assertThat(init()).as(err::toString).isZero();

    assertThat(Files.readString(file()))
        .isEqualTo(Files.readString(Path.of("../docs/migration.yaml")));
    assertThat(out.toString())
        .isEqualTo("wrote " + file() + ": complete it, then 'check' tries it\n");
  }

  @Test
  void init_everythingGiven_writesIt() {
    assertThat(
            init(
                "--from=legacy://l:1?token=file:it's",
                "--to=memory://b",
                "--kafka=h:1,i:2",
                "user_files=range;shard=bits=8;encoding=1",
                "users"))
        .as(err::toString)
        .isZero();

    assertThat(out.toString()).isEqualTo("wrote " + file() + ": 'check' tries it\n");
    MigrationFile written = MigrationFile.read(file());
    assertThat(written.name()).isEqualTo("user-files");
    assertThat(written.source()).isEqualTo("legacy://l:1?token=file:it's");
    assertThat(written.target()).isEqualTo("memory://b");
    assertThat(written.kafka().bootstrap()).isEqualTo("h:1,i:2");
    assertThat(written.collections())
        .extracting(MigrationFile.Entry::name, MigrationFile.Entry::layout)
        .containsExactly(
            tuple("user_files", Layout.parse("range;shard=bits=8;encoding=1")),
            tuple("users", null));
  }

  @Test
  void init_fileExists_isRefusedAndKeepsIt() throws IOException {
    Files.writeString(file(), "mine");

    assertThat(init()).isEqualTo(ExitCode.USAGE);

    assertThat(err.toString()).contains(" exists already: give another file with --config");
    assertThat(Files.readString(file())).isEqualTo("mine");
  }

  private Path file() {
    return folder.resolve("new.yaml");
  }

  private int init(String... arguments) {
    List<String> all = new ArrayList<>(List.of("init", "--config=" + file()));
    all.addAll(Arrays.asList(arguments));
    return MigrateCommand.commandLine()
        .setOut(new PrintWriter(out))
        .setErr(new PrintWriter(err))
        .execute(all.toArray(new String[0]));
  }
}
