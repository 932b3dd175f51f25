package dev.kvshift.migrate.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.migrate.api.KafkaProperties;
import dev.kvshift.migrate.api.MigrationOptions;
import dev.kvshift.migrate.api.ScanRate;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalTime;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

final class MigrationFileTest {
  private static final String STORES =
      """
      source: memory://a
      target: memory://b
      """;
  private static final String KAFKA =
      """
      kafka:
        bootstrap: h:1
      """;
  private static final String COLLECTIONS =
      """
      collections:
        - name: files
      """;

  @TempDir private Path folder;

  @Test
  void read_annotatedExample_isWhatItSays() {
    MigrationFile example = MigrationFile.read(Path.of("../docs/migration.yaml"));

    assertThat(example.name()).isEqualTo("orders");
    assertThat(example.source()).isEqualTo("legacy://legacy-1:7400?token=file:/etc/kvshift/token");
    assertThat(example.target())
        .isEqualTo("scylla://scylla-1,scylla-2/orders?localDatacenter=dc1&deletes=kept");
    assertThat(example.kafka())
        .isEqualTo(new MigrationFile.Kafka("broker-1:9092,broker-2:9092", KafkaProperties.NONE));
    assertThat(example.plugins()).isNull();
    assertThat(example.lease()).isEqualTo(Duration.ofSeconds(10));
    assertThat(example.collections())
        .extracting(MigrationFile.Entry::name, MigrationFile.Entry::layout)
        .containsExactly(
            tuple("files", Layout.parse("range;shard=bits=8;encoding=1")),
            tuple("users", Layout.parse("point;shard=none;encoding=1")));
    MigrationOptions files = example.collections().get(0).options();
    assertThat(files.topicPartitions()).isEqualTo(32);
    assertThat(files.scanRate()).isEqualTo(ScanRate.unlimited());
    MigrationOptions users = example.collections().get(1).options();
    assertThat(users.topicPartitions()).isEqualTo(8);
    assertThat(users.scanRate()).hasToString("5000 rows/s");
  }

  /** The example shows each default. */
  @Test
  void read_annotatedExample_showsTheDefaults() {
    MigrationOptions shown =
        MigrationFile.read(Path.of("../docs/migration.yaml")).collections().get(1).options();
    MigrationOptions defaults = MigrationOptions.defaults();

    assertThat(shown.replicationFactor()).isEqualTo(OptionalInt.empty());
    assertThat(shown.topicPartitions()).isEqualTo(defaults.topicPartitions());
    assertThat(shown.topicRetention()).isEqualTo(defaults.topicRetention());
    assertThat(shown.copyTasks()).isEqualTo(defaults.copyTasks());
    assertThat(shown.copyWorkers()).isEqualTo(defaults.copyWorkers());
    assertThat(shown.maxInFlight()).isEqualTo(defaults.maxInFlight());
    assertThat(shown.latencyLimit()).isEqualTo(defaults.latencyLimit());
    assertThat(shown.maxRejected()).isEqualTo(defaults.maxRejected());
    assertThat(shown.patience()).isEqualTo(defaults.patience());
    assertThat(shown.pauseLimit()).isEqualTo(defaults.pauseLimit());
    assertThat(shown.fenceLifetime()).isEqualTo(defaults.fenceLifetime());
    assertThat(shown.dwell()).isEqualTo(defaults.dwell());
    assertThat(shown.leftToExpireWithin()).isEqualTo(defaults.leftToExpireWithin());
    assertThat(shown.emptySourceAllowed()).isEqualTo(defaults.emptySourceAllowed());
  }

  @Test
  void read_everyOption_isApplied() throws IOException {
    Files.writeString(folder.resolve("kafka.properties"), "security.protocol=SSL\n");
    MigrationFile read =
        read(
            STORES
                + """
                name: night
                leaseSeconds: 30
                plugins: jars
                kafka:
                  bootstrap: h:1
                  properties: kafka.properties
                defaults:
                  workers: 2
                  partitions: 3
                collections:
                  - name: files
                    partitions: 5
                    replication: 2
                    retentionHours: 24
                    scanTasks: 7
                    inFlight: 11
                    scanRowsPerSecond: 1000
                    slowDownAboveMillis: 40
                    workingHours: {from: '22:00', to: '06:30', scanRowsPerSecond: 200}
                    maxRejected: 13
                    patienceSeconds: 17
                    pauseLimitMillis: 300
                    fenceSeconds: 2
                    dwellSeconds: 19
                    leaveToExpireHours: 48
                    copyFrom: memory://clone
                    allowEmpty: true
                """);

    assertThat(read.collections().get(0).copyFrom()).isEqualTo("memory://clone");
    assertThat(read.name()).isEqualTo("night");
    assertThat(read.lease()).isEqualTo(Duration.ofSeconds(30));
    assertThat(read.plugins()).isEqualTo(folder.resolve("jars"));
    assertThat(read.kafka().properties())
        .isEqualTo(KafkaProperties.of(Map.of("security.protocol", "SSL")));
    MigrationOptions options = read.collections().get(0).options();
    assertThat(options.copyWorkers()).isEqualTo(2);
    assertThat(options.topicPartitions()).isEqualTo(5);
    assertThat(options.replicationFactor()).isEqualTo(OptionalInt.of(2));
    assertThat(options.topicRetention()).isEqualTo(Duration.ofHours(24));
    assertThat(options.copyTasks()).isEqualTo(7);
    assertThat(options.maxInFlight()).isEqualTo(11);
    assertThat(options.scanRate()).hasToString("1000 rows/s");
    assertThat(options.scanRate(LocalTime.of(21, 59))).hasToString("1000 rows/s");
    assertThat(options.scanRate(LocalTime.of(22, 0))).hasToString("200 rows/s");
    assertThat(options.scanRate(LocalTime.of(6, 29))).hasToString("200 rows/s");
    assertThat(options.scanRate(LocalTime.of(6, 30))).hasToString("1000 rows/s");
    assertThat(options.latencyLimit()).isEqualTo(Duration.ofMillis(40));
    assertThat(options.maxRejected()).isEqualTo(13);
    assertThat(options.patience()).isEqualTo(Duration.ofSeconds(17));
    assertThat(options.pauseLimit()).isEqualTo(Duration.ofMillis(300));
    assertThat(options.fenceLifetime()).isEqualTo(Duration.ofSeconds(2));
    assertThat(options.dwell()).isEqualTo(Duration.ofSeconds(19));
    assertThat(options.leftToExpireWithin()).isEqualTo(Duration.ofDays(2));
    assertThat(options.emptySourceAllowed()).isTrue();
  }

  @Test
  void read_copyFrom_isTheCollectionsOwnOrThatOfAll() throws IOException {
    String collections = COLLECTIONS + "    copyFrom: memory://own\n  - name: users\n";

    assertThat(read(STORES + KAFKA + collections).collections())
        .extracting(MigrationFile.Entry::copyFrom)
        .containsExactly("memory://own", null);
    assertThat(
            read(STORES + KAFKA + "defaults: {copyFrom: 'memory://all'}\n" + collections)
                .collections())
        .extracting(MigrationFile.Entry::copyFrom)
        .containsExactly("memory://own", "memory://all");
  }

  @Test
  void read_workingHoursThatAreNone_namesTheLine() {
    for (String hours :
        List.of(
            "{from: '8', to: '18:00', scanRowsPerSecond: 200}",
            "{from: '08:00', to: '08:00', scanRowsPerSecond: 200}")) {
      assertThatThrownBy(
              () ->
                  read(
                      STORES
                          + KAFKA
                          + "collections:\n  - name: files\n    workingHours: "
                          + hours
                          + "\n"))
          .isInstanceOf(KvException.Permanent.class)
          .hasMessageContaining("line ");
    }
  }

  @Test
  void read_groups_areFoundByName() throws IOException {
    MigrationFile read =
        read(
            STORES
                + KAFKA
                + """
                collections:
                  - name: files
                  - name: users
                  - name: alone
                groups:
                  - name: both
                    collections: [users, files]
                """);

    assertThat(read.group("both")).containsExactly("users", "files");
    assertThatThrownBy(() -> read.group("none"))
        .hasMessage("there is no group none in the configuration: give one of both");
    read.requireUngrouped(List.of("alone"));
    assertThatThrownBy(() -> read.requireUngrouped(List.of("alone", "files")))
        .hasMessage("collection files moves with its group: give cutover --group both");
  }

  static Stream<Arguments> mistakes() {
    return Stream.of(
        Arguments.of(
            STORES + KAFKA + COLLECTIONS + "groups: [{name: g, collections: [files]}]\n",
            "line 7: group g needs two collections at least"),
        Arguments.of(
            STORES + KAFKA + COLLECTIONS + "groups: [{name: g, collections: [files, users]}]\n",
            "line 7: there is no collection users: add it"),
        Arguments.of("", "line 1: a mapping is expected, such as 'source: STRING'"),
        Arguments.of("- a", "line 1: a mapping is expected, such as 'source: STRING'"),
        Arguments.of("source: [", "line 1: this is no YAML: "),
        Arguments.of("target: memory://b\n", "line 1: 'source' is missing: give one"),
        Arguments.of(STORES, "line 1: 'kafka' is missing: give one, with 'bootstrap'"),
        Arguments.of(STORES + "kafka: h:1\n", "line 3: 'kafka' is not a mapping"),
        Arguments.of(
            STORES + "kafka:\n  properties: none\n", "line 4: the file of Kafka properties "),
        Arguments.of(
            STORES + "kafka:\n  bootstrap: h:1\n  acks: all\n" + COLLECTIONS,
            "line 5: 'acks' is unknown here: give one of bootstrap, properties"),
        Arguments.of(
            STORES + KAFKA, "line 1: 'collections' has none: give a list, each with 'name'"),
        Arguments.of(STORES + KAFKA + "collections: 7\n", "line 5: 'collections' is not a list"),
        Arguments.of(
            STORES + KAFKA + "collections:\n  - files\n",
            "line 6: an item of 'collections' is not a mapping"),
        Arguments.of(
            STORES + KAFKA + "collections:\n  - layout: point;shard=none;encoding=1\n",
            "line 6: 'name' is missing: give one"),
        Arguments.of(
            STORES + KAFKA + COLLECTIONS + "    fenceSeconds: 1\n    pauseLimitMillis: 1000\n",
            "line 6: pauseLimit of PT1S: give less than fenceLifetime, PT1S"),
        Arguments.of(
            STORES + KAFKA + COLLECTIONS + "  - name: files\n",
            "line 7: collection files is there twice: leave one out"),
        Arguments.of(
            STORES + KAFKA + COLLECTIONS + "    workers: many\n",
            "line 7: 'workers' is not a whole number: many"),
        Arguments.of(STORES + KAFKA + COLLECTIONS + "    workers: 65\n", "line 7: copyWorkers"),
        Arguments.of(
            STORES + KAFKA + COLLECTIONS + "    allowEmpty: perhaps\n",
            "line 7: 'perhaps': give true or false"),
        Arguments.of(
            STORES + KAFKA + COLLECTIONS + "    partitons: 7\n",
            "line 7: 'partitons' is unknown here: give one of allowEmpty, copyFrom,"
                + " dwellSeconds, fenceSeconds,"),
        Arguments.of(STORES + KAFKA + COLLECTIONS + "    layout: round\n", "line 7: "),
        Arguments.of(
            STORES + KAFKA + COLLECTIONS + "defaults:\n  layout: x\n",
            "line 8: 'layout' is unknown here: give one of allowEmpty, copyFrom,"
                + " dwellSeconds, fenceSeconds,"),
        Arguments.of(
            STORES + KAFKA + COLLECTIONS + "    copyFrom: legacy//clone:7400\n", "line 7: "),
        Arguments.of(
            STORES + KAFKA + COLLECTIONS + "name: Night\n",
            "line 7: 'Night' is not a name of hosts: give 1 to 64 of a-z, 0-9 and -"),
        Arguments.of(
            STORES + KAFKA + COLLECTIONS + "leaseSeconds: 2\n",
            "line 7: a lease of 2 s: give 3 to 300 seconds"),
        Arguments.of(
            STORES + KAFKA + COLLECTIONS + "source: memory://c\n",
            "line 7: 'source' is there twice: leave one out"),
        Arguments.of(
            "source: scylla://h/k?localDatacenter=d&consistency=ONE\n" + KAFKA,
            "line 1: the runner cannot prove anything at consistency=ONE, which 'source' asks"
                + " for"));
  }

  @ParameterizedTest(name = "{1}")
  @MethodSource("mistakes")
  void read_mistake_isNamedWithItsLine(String text, String message) {
    assertThatThrownBy(() -> read(text))
        .isInstanceOf(KvException.Permanent.class)
        .hasMessageStartingWith("test.yaml, " + message);
  }

  @Test
  void read_noFile_saysSo() {
    assertThatThrownBy(() -> MigrationFile.read(folder.resolve("none.yaml")))
        .isInstanceOf(KvException.Permanent.class)
        .hasMessageEndingWith("give another file");
  }

  private MigrationFile read(String text) throws IOException {
    Path file = folder.resolve("test.yaml");
    Files.writeString(file, text);
    return MigrationFile.read(file);
  }
}
