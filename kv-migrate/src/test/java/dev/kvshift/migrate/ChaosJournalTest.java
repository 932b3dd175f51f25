package dev.kvshift.migrate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.migrate.ChaosJournal.Fault;
import java.util.List;
import org.junit.jupiter.api.Test;

final class ChaosJournalTest {
  private final ChaosJournal journal = new ChaosJournal();

  @Test
  void fault_lastWasAcknowledged_allowsNothingElse() {
    journal.add(List.of("SENT k 1", "DONE k 1", "SENT k 2", "DONE k 2"));
    assertThat(journal.fault("k", "2")).isEqualTo(Fault.NONE);
    assertThat(journal.fault("k", "1")).isEqualTo(Fault.DIFFERENT);
    assertThat(journal.fault("k", "-")).isEqualTo(Fault.MISSING);
  }

  @Test
  void fault_deleted_allowsNoValue() {
    journal.add(List.of("SENT k 1", "DONE k 1", "SENT k -", "DONE k -"));
    assertThat(journal.fault("k", "-")).isEqualTo(Fault.NONE);
    assertThat(journal.fault("k", "1")).isEqualTo(Fault.RESURRECTED);
    assertThat(journal.fault("never written", "1")).isEqualTo(Fault.RESURRECTED);
  }

  @Test
  void fault_killedOrUnknown_allowsBoth() {
    journal.add(
        List.of("SENT k 1", "DONE k 1", "SENT k 2", "SENT k 3", "UNKNOWN k 3", "SENT other 4"));
    assertThat(List.of("1", "2", "3")).allMatch(value -> journal.fault("k", value) == Fault.NONE);
    assertThat(journal.fault("other", "4")).isEqualTo(Fault.NONE);
    assertThat(journal.fault("other", "-")).isEqualTo(Fault.NONE);
    assertThat(journal.unknown()).isEqualTo(2);
  }

  @Test
  void fault_killedAndThenReadAnother_allowsThePendingWrite() {
    journal.add(List.of("SENT k 1", "READ other -", "READ k 1"));
    assertThat(journal.wrongReads()).isEmpty();
    assertThat(journal.fault("k", "1")).isEqualTo(Fault.NONE);
  }

  @Test
  void wrongReads_ofWhatWasOverwritten_areKept() {
    journal.add(List.of("SENT k 1", "DONE k 1", "READ k 1", "SENT k 2", "FAILED k 2", "READ k 2"));
    assertThat(journal.wrongReads()).containsOnlyKeys("k");
    assertThat(journal.failed()).isEqualTo(1);
    assertThat(journal.operations()).isEqualTo(4);
  }
}
