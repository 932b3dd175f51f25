package dev.kvshift.migrate.cli;

import static dev.kvshift.testkit.concurrent.Await.join;
import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Key;
import dev.kvshift.api.Layout;
import dev.kvshift.embedded.KafkaBroker;
import dev.kvshift.memory.InMemory;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.model.key.Keys;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** A company's jar, compiled here, in the folder that the runner looks into. */
final class PluginsTest {
  private static final String MODELS =
      """
      package com.example;

      import static dev.kvshift.model.key.Keys.firstBits;
      import static dev.kvshift.model.key.Keys.string;
      import static dev.kvshift.model.key.Keys.uint64;
      import static dev.kvshift.model.Values.text;

      import dev.kvshift.model.Model;
      import dev.kvshift.model.ModelCatalogue;
      import java.util.List;

      public final class Models implements ModelCatalogue {
        @Override
        public List<Model> models() {
          return List.of(
              Model.point("users").key(string()).value(text()),
              Model.range("hits").main(string()).clustering(uint64()).shardBy(firstBits(12))
                  .value(text()));
        }
      }
      """;
  private static final String DRIVER =
      """
      package com.example;

      import dev.kvshift.api.ConnectionString;
      import dev.kvshift.memory.MemoryStoreProvider;
      import dev.kvshift.spi.Store;
      import dev.kvshift.spi.StoreProvider;
      import java.util.List;

      public final class Driver implements StoreProvider {
        @Override
        public String scheme() {
          return "company";
        }

        @Override
        public List<ConnectionString.Parameter> parameters() {
          return List.of();
        }

        @Override
        public Store open(ConnectionString string, Context context) {
          return new MemoryStoreProvider()
              .open(ConnectionString.parse(string.toString().replace("company", "memory")), context);
        }
      }
      """;
  private static final Layout HITS = Layout.parse("range;shard=bits=12;encoding=1");

  @TempDir private static Path folder;

  private final String name = UUID.randomUUID().toString();
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @BeforeAll
  static void makeJar() throws IOException {
    Path sources = Files.createDirectories(folder.resolve("src"));
    Path models = Files.writeString(sources.resolve("Models.java"), MODELS);
    Path driver = Files.writeString(sources.resolve("Driver.java"), DRIVER);
    Path classes = Files.createDirectories(folder.resolve("classes"));
    int failed =
        ToolProvider.getSystemJavaCompiler()
            .run(
                null,
                null,
                null,
                "-d",
                classes.toString(),
                "-cp",
                System.getProperty("java.class.path"),
                models.toString(),
                driver.toString());
    assertThat(failed).isZero();
    write(
        classes.resolve("META-INF/services/dev.kvshift.model.ModelCatalogue"),
        "com.example.Models");
    write(classes.resolve("META-INF/services/dev.kvshift.spi.StoreProvider"), "com.example.Driver");
    jar(classes, Files.createDirectories(folder.resolve("plugins")).resolve("models.jar"));
  }

  @Test
  void steps_modelAndDriverInAJar_moveByItsLayoutAndShowItsKeys() throws IOException {
    try (KvStore source = InMemory.store("from-" + name);
        Store target = MemoryStoreProvider.open("to-" + name)) {
      fill(source);

      assertThat(migrate("prepare")).as(err.toString()).isZero();
      assertThat(migrate("copy")).as(err.toString()).isZero();
      @Nullable CollectionRecord kept = join(CollectionRecord.read(target.metadata(), "hits"));
      assertThat(kept).isNotNull();
      assertThat(kept.layout()).isEqualTo(HITS);

      lose(target, StoreKey.of(Keys.string().encode("java.util"), Keys.uint64().encode(7L)));
      assertThat(migrate("verify")).isEqualTo(ExitCode.MISMATCH);
      assertThat(out.toString())
          .contains(
              "missing 1, extra 0, different 0, resurrected 0",
              "  missing (foreign) main=\"java.util\" [036a6176612e7574696c00]"
                  + " clustering=7 [0b0000000000000007]\n");
    }
  }

  @Test
  void advise_modelInAJar_testsItsRule() {
    try (KvStore source = InMemory.store("from-" + name)) {
      fill(source);

      assertThat(advise("hits", "--fail-above", "10MB")).as(err.toString()).isZero();
      assertThat(out.toString())
          .contains("the largest partition with shard=bits=12 has 1,600 bytes");
    }
  }

  @Test
  void get_modelInAJar_readsAndShowsItsTypes() {
    try (KvStore source = InMemory.store("from-" + name)) {
      fill(source);

      String string = "company://from-" + name;
      assertThat(execute("put", string, "hits", "java.util", "40", "seen again"))
          .as(err.toString())
          .isZero();
      assertThat(execute("get", string, "hits", "java.util", "40")).isZero();
      assertThat(out.toString())
          .startsWith("key      \"java.util\" / 40\n")
          .endsWith("value    seen again\n");
      assertThat(execute("get", string, "hits", "java.util", "many")).isEqualTo(ExitCode.USAGE);
      assertThat(err.toString())
          .contains("migrate: key part 'many' is no uint64: give one such as 7\n");
      assertThat(execute("put", string, "hits", "java.util", "41", "0xff"))
          .isEqualTo(ExitCode.USAGE);
      assertThat(err.toString()).contains("the value is not what the collection's model declares");
    }
  }

  @Test
  void layout_neitherGivenNorFound_saysWhatThereIs() {
    assertThat(advise("visits")).isEqualTo(ExitCode.USAGE);
    assertThat(err.toString())
        .contains("collection visits has no model among the plugins in ")
        .contains(", which have [hits, users]: give its layout, or add the jar with its model");
  }

  @Test
  void layout_otherThanTheModels_isRefusedNamingBoth() {
    assertThat(advise("hits", "--layout", "range;shard=bits=8;encoding=1"))
        .isEqualTo(ExitCode.USAGE);
    assertThat(err.toString())
        .contains(
            "collection hits was given the layout range;shard=bits=8;encoding=1, but its model has"
                + " range;shard=bits=12;encoding=1: leave out --layout, or the model's jar");
  }

  @Test
  void plugins_noSuchFolder_isRefused() {
    assertThat(advise("hits", "--plugins", folder.resolve("none").toString()))
        .isEqualTo(ExitCode.USAGE);
    assertThat(err.toString()).contains("cannot be read: ").contains(": check --plugins");
  }

  @Test
  void plugins_catalogueThatCannotBeLoaded_saysWhich(@TempDir Path broken) throws IOException {
    Path classes = broken.resolve("classes");
    write(
        classes.resolve("META-INF/services/dev.kvshift.model.ModelCatalogue"), "com.example.Gone");
    jar(classes, broken.resolve("broken.jar"));

    assertThat(advise("hits", "--plugins", broken.toString())).isEqualTo(ExitCode.USAGE);
    assertThat(err.toString())
        .contains("a model catalogue cannot be loaded: ", "com.example.Gone", "fix its jar");
  }

  private static void fill(KvStore store) {
    KvCollection hits = store.collection("hits", HITS);
    for (long hit = 0; hit < 40; hit++) {
      hits.put(
          Key.of(Keys.string().encode("java.util"), Keys.uint64().encode(hit)),
          Bytes.utf8("seen by"));
    }
  }

  private static void lose(Store target, StoreKey key) {
    StoreCollection hits = join(target.open("hits", HITS, Claim.NONE));
    Call call = Call.within(Duration.ofSeconds(30));
    @Nullable Row row = join(hits.get(key, call));
    assertThat(row).isNotNull();
    join(hits.write(key, Mutation.delete().withVersion(row.version() + 1), call));
  }

  private int migrate(String command) throws IOException {
    Path file = folder.resolve(name + ".yaml");
    write(
        file,
        """
        source: company://from-NAME
        target: memory://to-NAME
        kafka: {bootstrap: 'BROKER'}
        plugins: plugins
        collections: [{name: hits}]
        """
            .replace("NAME", name)
            .replace("BROKER", KafkaBroker.shared().bootstrapServers()));
    return commandLine().execute(command, "--config", file.toString(), "hits");
  }

  private int advise(String collection, String... more) {
    List<String> arguments =
        new ArrayList<>(
            List.of("advise", "--from", "company://from-" + name, "--collection", collection));
    arguments.addAll(Arrays.asList(more));
    return execute(arguments.toArray(new String[0]));
  }

  private int execute(String... arguments) {
    List<String> all = new ArrayList<>(List.of(arguments));
    if (!all.contains("--plugins")) {
      all.addAll(List.of("--plugins", folder.resolve("plugins").toString()));
    }
    return commandLine().execute(all.toArray(new String[0]));
  }

  private CommandLine commandLine() {
    return MigrateCommand.commandLine().setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
  }

  private static void write(Path file, String text) throws IOException {
    Files.createDirectories(file.getParent());
    Files.write(file, text.getBytes(StandardCharsets.UTF_8));
  }

  private static void jar(Path classes, Path file) throws IOException {
    try (JarOutputStream jar = new JarOutputStream(Files.newOutputStream(file));
        Stream<Path> all = Files.walk(classes)) {
      for (Path one : all.filter(Files::isRegularFile).toList()) {
        jar.putNextEntry(new JarEntry(classes.relativize(one).toString()));
        jar.write(Files.readAllBytes(one));
        jar.closeEntry();
      }
    }
  }
}
