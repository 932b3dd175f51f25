package dev.kvshift.scylla.internal.schema;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.KvException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** With the texts of ScyllaDB's sources. */
final class SetUpRefusalsTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "Datacenter dc1 doesn't have enough token-owning nodes for replication_factor=3"
            + " | open with a lower replication",
        "The option `rf_rack_valid_keyspaces` is enabled. It requires that all keyspaces are"
            + " RF-rack-valid. That condition is violated: keyspace 'shop' doesn't satisfy it"
            + " | as many copies as each datacenter has racks",
        "Cannot disable tablets for keyspace since tablets are enforced using the"
            + " `tablets_mode_for_new_keyspaces: enforced` config option."
            + " | upgrade to 2025.4"
      })
  void explained_knownRefusal_saysWhatToDo(String refusal, String advice) {
    Throwable cause = new IllegalStateException(refusal);
    Throwable error =
        SetUpRefusals.explained(
            new KvException.Permanent("creating table t was refused, " + refusal, cause));
    assertThat(error)
        .isInstanceOf(KvException.Permanent.class)
        .hasMessageStartingWith("creating table t was refused, " + refusal + "; ")
        .hasMessageContaining(advice)
        .hasCause(cause);
  }

  @Test
  void explained_otherError_isUnchanged() {
    Throwable other = new KvException.Permanent("creating table t was refused");
    assertThat(SetUpRefusals.explained(other)).isSameAs(other);
    Throwable passing = new KvException.Transient("not enough nodes");
    assertThat(SetUpRefusals.explained(passing)).isSameAs(passing);
  }
}
