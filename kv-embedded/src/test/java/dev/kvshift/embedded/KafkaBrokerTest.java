package dev.kvshift.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.embedded.fork.StartFailedException;
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
  }

  @Test
  void start_portInUse_failsNamingIt() {
    String address = KafkaBroker.shared().bootstrapServers();
    int taken = Integer.parseInt(address.substring("127.0.0.1:".length()));
    assertThatThrownBy(() -> KafkaBroker.builder().port(taken).start())
        .isInstanceOfSatisfying(
            StartFailedException.class,
            e -> {
              assertThat(e.reason()).isEqualTo(StartFailedException.Reason.PORT_IN_USE);
              assertThat(e.logTail()).isNotEmpty();
            });
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
