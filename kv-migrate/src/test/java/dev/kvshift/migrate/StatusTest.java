package dev.kvshift.migrate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Bytes;
import dev.kvshift.migrate.api.MigrationStatus;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.migrate.internal.ledger.Event;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.ledger.QuarantinedKeys;
import dev.kvshift.migrate.internal.stream.TopicRecord;
import org.junit.jupiter.api.Test;

/** Long ledgers are read to their end. */
final class StatusTest {
  private static final int MANY = 10_020;

  @Test
  void status_manyEvents_listsTheLastTen() {
    try (Sides sides = new Sides();
        Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
      Ledger ledger = sides.ledger();
      for (int i = 0; i < MANY; i++) {
        ledger.append(Event.lifted("attempt", "why " + i));
      }

      MigrationStatus status = migration.status();

      assertThat(status.events()).hasSize(10);
      for (int i = 0; i < 10; i++) {
        assertThat(status.events().get(i)).contains("\"why " + (MANY - 10 + i) + "\"");
      }
    }
  }

  @Test
  void cutover_manyQuarantinedKeysThatSettled_releasesAll() {
    try (Sides sides = new Sides();
        Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
      sides.fill(10);
      migration.copy();
      migration.verify();
      QuarantinedKeys quarantined = new QuarantinedKeys(sides.ledger());
      for (int i = 0; i < MANY; i++) {
        Bytes key = TopicRecord.printKey(Sides.key(1_000 + i));
        quarantined.add(key, 1, "too large", i);
      }
      assertThat(migration.status().quarantine().keys()).isEqualTo(MANY);

      migration.cutover();

      assertThat(migration.status().quarantine().keys()).isZero();
    }
  }
}
