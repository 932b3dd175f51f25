package dev.kvshift.embedded;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class KafkaBrokerTest {
  @Test
  void apiVersions_startedBroker_answers() throws Exception {
    assertThat(Wire.kafkaApiVersions(KafkaBroker.shared())).isZero();
  }

  @Test
  void restart_afterKill_keepsFolderAndAnswers(@TempDir Path kept) throws Exception {
    try (KafkaBroker broker = KafkaBroker.builder().folder(kept).start()) {
      Path meta = kept.resolve("data").resolve("meta.properties");
      String before = Files.readString(meta);
      broker.kill();
      broker.restart();
      assertThat(Wire.kafkaApiVersions(broker)).isZero();
      assertThat(Files.readString(meta)).isEqualTo(before);
    }
    try (KafkaBroker again = KafkaBroker.builder().folder(kept).start()) {
      assertThat(Wire.kafkaApiVersions(again)).isZero();
    }
  }

  @Test
  void close_temporaryFolder_deletesIt() {
    KafkaBroker broker = KafkaBroker.start();
    Path folder = broker.folder();
    assertThat(folder).exists();
    broker.close();
    assertThat(folder).doesNotExist();
    assertThat(broker.process().isAlive()).isFalse();
  }
}
