package dev.kvshift.migrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.KvException;
import dev.kvshift.embedded.KafkaBroker;
import dev.kvshift.migrate.api.KafkaProperties;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.ProgressListener;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** The runner on brokers that require passwords or TLS, and the properties that it accepts. */
class KafkaSecurityTest {
  private static final String PLAIN =
      "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"%s\""
          + " password=\"%s\"%s;";

  private static final String PASSWORD = "of-the-keys";

  private static KafkaProperties password(String password) {
    return KafkaProperties.of(
        Map.of(
            "security.protocol", "SASL_PLAINTEXT",
            "sasl.mechanism", "PLAIN",
            "sasl.jaas.config", PLAIN.formatted("runner", password, "")));
  }

  private static KafkaBroker broker() {
    return KafkaBroker.builder()
        .setting("listener.security.protocol.map", "CLIENT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT")
        .setting("sasl.enabled.mechanisms", "PLAIN")
        .setting("sasl.mechanism.inter.broker.protocol", "PLAIN")
        .setting(
            "listener.name.client.plain.sasl.jaas.config",
            PLAIN.formatted("broker", "b", " user_broker=\"b\" user_runner=\"secret\""))
        .start();
  }

  @Test
  void migration_brokerWithPasswords_movesWithTheRightOneOnly() {
    try (KafkaBroker broker = broker();
        Sides sides = new Sides()) {
      sides.fill(10);
      MigrationPlan plan = sides.plan(broker);
      MigrationPlan wrong = plan.toBuilder().kafkaProperties(password("wrong")).build();
      try (Migration migration = Migration.of(wrong, ProgressListener.NONE)) {
        assertThatThrownBy(migration::prepare)
            .isExactlyInstanceOf(KvException.Permanent.class)
            .hasMessage(
                "the broker at "
                    + broker.bootstrapServers()
                    + " and the runner do not accept each other: check the member 'properties' of the configuration");
      }

      MigrationPlan right = plan.toBuilder().kafkaProperties(password("secret")).build();
      try (Migration migration = Migration.of(right, ProgressListener.NONE)) {
        migration.copy();
        sides.put(Sides.key(1), "later");
        migration.catchUp();
        migration.verify();
        migration.cutover();
      }
    }
  }

  @Test
  void migration_brokerWithTls_movesIfItTrustsTheCertificateOnly(@TempDir Path folder)
      throws Exception {
    Path keys = keyStore(folder);
    KafkaProperties trusting =
        KafkaProperties.of(
            Map.of(
                "security.protocol",
                "SSL",
                "ssl.truststore.location",
                keys.toString(),
                "ssl.truststore.password",
                PASSWORD));
    try (KafkaBroker broker = tlsBroker(keys);
        Sides sides = new Sides()) {
      sides.fill(10);
      MigrationPlan plan = sides.plan(broker);
      KafkaProperties trustless = KafkaProperties.of(Map.of("security.protocol", "SSL"));
      MigrationPlan wrong = plan.toBuilder().kafkaProperties(trustless).build();
      try (Migration migration = Migration.of(wrong, ProgressListener.NONE)) {
        assertThatThrownBy(migration::prepare)
            .isExactlyInstanceOf(KvException.Permanent.class)
            .hasMessage(
                "the broker at "
                    + broker.bootstrapServers()
                    + " and the runner do not accept each other: check the member 'properties' of the configuration");
      }

      MigrationPlan right = plan.toBuilder().kafkaProperties(trusting).build();
      try (Migration migration = Migration.of(right, ProgressListener.NONE)) {
        migration.copy();
        sides.put(Sides.key(1), "later");
        migration.catchUp();
        assertThat(migration.verify().differences()).isZero();
      }
    }
  }

  private static KafkaBroker tlsBroker(Path keys) {
    String ssl = "listener.name.client.ssl.";
    return KafkaBroker.builder()
        .setting("listener.security.protocol.map", "CLIENT:SSL,CONTROLLER:PLAINTEXT")
        .setting(ssl + "keystore.location", keys.toString())
        .setting(ssl + "keystore.password", PASSWORD)
        .setting(ssl + "key.password", PASSWORD)
        .setting(ssl + "truststore.location", keys.toString())
        .setting(ssl + "truststore.password", PASSWORD)
        .start();
  }

  /** Returns a store with a key for 127.0.0.1 and its certificate, which nobody has signed. */
  private static Path keyStore(Path folder) throws IOException, InterruptedException {
    Path store = folder.resolve("keys.p12");
    List<String> command =
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
            "-genkeypair",
            "-keystore",
            store.toString(),
            "-storepass",
            PASSWORD,
            "-keyalg",
            "EC",
            "-dname",
            "CN=broker",
            "-ext",
            "san=ip:127.0.0.1");
    assertThat(new ProcessBuilder(command).inheritIO().start().waitFor()).isZero();
    return store;
  }

  @TestFactory
  Stream<DynamicTest> of_propertiesThatAMigrationReliesOn_areRefusedNamingThem() {
    return Stream.of(
            "acks",
            "enable.idempotence",
            "transactional.id",
            "isolation.level",
            "group.id",
            "auto.offset.reset",
            "bootstrap.servers",
            "interceptor.classes",
            "metric.reporters",
            "made.up")
        .map(
            name ->
                DynamicTest.dynamicTest(
                    name,
                    () ->
                        assertThatThrownBy(() -> KafkaProperties.of(Map.of(name, "value")))
                            .isExactlyInstanceOf(KvException.Permanent.class)
                            .hasMessageStartingWith(
                                "the Kafka property " + name + " is not one of the connection: ")
                            .hasMessageNotContaining("value")));
  }

  @Test
  void read_file_holdsItsPropertiesAndShowsNoValue(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("kafka.properties");
    Files.writeString(file, "security.protocol=SSL\nssl.truststore.password = top secret\n");

    KafkaProperties read = KafkaProperties.read(file);

    assertThat(read.asMap())
        .containsExactlyInAnyOrderEntriesOf(
            Map.of("security.protocol", "SSL", "ssl.truststore.password", "top secret"));
    assertThat(read).hasToString("KafkaProperties[security.protocol, ssl.truststore.password]");
  }

  @Test
  void read_missingFile_namesIt(@TempDir Path folder) {
    Path file = folder.resolve("none.properties");

    assertThatThrownBy(() -> KafkaProperties.read(file))
        .isExactlyInstanceOf(KvException.Permanent.class)
        .hasMessage(
            "the file of Kafka properties "
                + file
                + " cannot be read: give a properties file in UTF-8 that the runner may read");
  }

  @Test
  void migration_propertiesThatKafkaRefuses_saysWhereToLook() {
    try (Sides sides = new Sides()) {
      sides.fill(1);
      KafkaProperties made = KafkaProperties.of(Map.of("security.protocol", "MADE_UP"));
      MigrationPlan plan = sides.plan().toBuilder().kafkaProperties(made).build();
      try (Migration migration = Migration.of(plan, ProgressListener.NONE)) {
        assertThatThrownBy(migration::prepare)
            .isExactlyInstanceOf(KvException.Permanent.class)
            .hasMessageEndingWith("check the member 'kafka' of the configuration");
      }
    }
  }
}
