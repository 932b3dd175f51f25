package dev.kvshift.migrate.internal.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.KvException;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class TopicSettingsTest {
  @ParameterizedTest
  @CsvSource({"1, ", "2, 2", "3, 2"})
  void settings_ofSoManyReplicas_passTheCheck(int replicas, String minInSync) {
    Map<String, String> settings = Topic.settings(replicas, Duration.ofHours(1));

    assertThat(settings.get("min.insync.replicas")).isEqualTo(minInSync);
    assertThat(settings.get("unclean.leader.election.enable")).isEqualTo("false");
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "2, 2", "3, 2", "3, 3"})
  void requireDurable_enoughReplicasInSync_passes(int replicas, int minInSync) {
    assertThatCode(() -> Topic.requireDurable("t", replicas, minInSync, false))
        .doesNotThrowAnyException();
  }

  @ParameterizedTest
  @CsvSource({"2, 1", "3, 1"})
  void requireDurable_oneReplicaMayAcknowledge_isRefused(int replicas, int minInSync) {
    assertThatThrownBy(() -> Topic.requireDurable("t", replicas, minInSync, false))
        .isExactlyInstanceOf(KvException.Permanent.class)
        .hasMessage(
            "topic t has "
                + replicas
                + " replicas but min.insync.replicas=1, so the loss of one broker may lose"
                + " acknowledged changes: set it to 2, and start the run again");
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "3, 2"})
  void requireDurable_uncleanElection_isRefused(int replicas, int minInSync) {
    assertThatThrownBy(() -> Topic.requireDurable("t", replicas, minInSync, true))
        .isExactlyInstanceOf(KvException.Permanent.class)
        .hasMessage(
            "topic t has unclean.leader.election.enable=true, so a replica that lags may become"
                + " the leader and lose acknowledged changes: set it to false, and start the run"
                + " again");
  }
}
