package dev.kvshift.migrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.MigrationStatus;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.migrate.api.RejectedKey;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.ledger.Machine;
import dev.kvshift.migrate.internal.ledger.QuarantinedKeys;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.StoreKey;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/** Rows that the target can never hold: their limit, their keys, and how they are settled. */
final class RejectsTest {
  /** The limit of {@link Sides#options}. */
  private static final int LIMIT = 10;

  /** Rows that may be in the middle of being added when the limit is exceeded. */
  private static final int ADDED_AT_ONCE = 4;

  @Test
  void copy_targetRejectsEveryRow_endsAtTheLimit() {
    try (Sides sides = new Sides()) {
      sides.fill(1_000);
      Refusing refusal = Refusing.everyKey();
      try (Migration migration = Migration.of(sides.to(refusal).plan(), ProgressListener.NONE)) {
        assertThatThrownBy(migration::copy)
            .isExactlyInstanceOf(MigrationException.TooManyErrors.class)
            .hasMessageMatching(
                "the target has rejected 1[1-4] keys, more than the limit of 10; main=.*: "
                    + Refusing.REASON
                    + ": write smaller values or delete the keys at the source, or raise"
                    + " 'maxRejected', and start the run again");

        MigrationStatus.Quarantine quarantine = migration.status().quarantine();
        assertThat(quarantine.keys()).isBetween(LIMIT + 1, LIMIT + ADDED_AT_ONCE);
        assertThat(quarantine.first()).hasSize(quarantine.keys());
        assertThat(quarantine.first())
            .allSatisfy(key -> assertThat(key.reason()).isEqualTo(Refusing.REASON));
      }
    }
  }

  @Test
  void rejects_copyAndApplyTogetherAboveTheLimit_end() {
    try (Sides sides = new Sides()) {
      Refusing refusal = Refusing.everyKey();
      refusal.turn(false);
      sides.fill(100);
      try (Migration migration = Migration.of(sides.to(refusal).plan(), ProgressListener.NONE)) {
        copyAndRejectUpToTheLimit(sides, refusal, migration);
        assertThat(migration.status().quarantine().keys()).isEqualTo(LIMIT);
      }
      try (Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
        migration.catchUp();
        sides.put(Sides.key(0), "the same key once more");
        migration.catchUp();

        sides.put(Sides.key(LIMIT), "one more");
        assertThatThrownBy(migration::catchUp)
            .isExactlyInstanceOf(MigrationException.TooManyErrors.class)
            .hasMessageContaining("11 keys, more than the limit of 10");
      }
    }
  }

  @Test
  void rejects_releasedMeanwhile_doNotCount() {
    try (Sides sides = new Sides()) {
      Refusing refusal = Refusing.everyKey();
      refusal.turn(false);
      sides.fill(100);
      try (Migration migration = Migration.of(sides.to(refusal).plan(), ProgressListener.NONE)) {
        copyAndRejectUpToTheLimit(sides, refusal, migration);
        QuarantinedKeys quarantined = new QuarantinedKeys(sides.ledger());
        quarantined.forEach(entry -> assertThat(quarantined.remove(entry)).isTrue());

        for (int i = 0; i < LIMIT; i++) {
          sides.put(Sides.key(LIMIT + i), "too large");
        }
        migration.catchUp();
        assertThat(migration.status().quarantine().keys()).isEqualTo(LIMIT);
      }
    }
  }

  @Test
  void retry_targetTakesTheRowByNow_releasesItsKey() {
    try (Sides sides = new Sides()) {
      Refusing refusal = Refusing.valuesOf(Sides.key(7));
      sides.fill(100);
      try (Migration migration = Migration.of(sides.to(refusal).plan(), ProgressListener.NONE)) {
        migration.copy();
        assertThat(migration.retryQuarantined()).isEqualTo(1);
        assertThat(migration.status().quarantine().keys()).isEqualTo(1);

        refusal.turn(false);

        assertThat(migration.retryQuarantined()).isZero();
        assertThat(migration.status().quarantine().keys()).isZero();
        assertThat(migration.verify().differences()).isZero();
      }
    }
  }

  @Test
  void drop_rejectedKey_movesUnderACertificateThatNamesIt() {
    try (Sides sides = new Sides()) {
      StoreKey key = Sides.key(7);
      sides.fill(100);
      try (Migration migration =
          Migration.of(sides.to(Refusing.valuesOf(key)).plan(), ProgressListener.NONE)) {
        migration.copy();
        assertThat(migration.verify().counts().missing()).isEqualTo(1);
        RejectedKey rejected = migration.status().quarantine().first().get(0);
        assertRefused(() -> migration.dropQuarantined(List.of("00")), "key 00 is not quarantined");
        assertThat(migration.status().quarantine().keys()).isEqualTo(1);

        migration.dropQuarantined(List.of(rejected.digest()));

        assertThat(migration.status().quarantine())
            .isEqualTo(new MigrationStatus.Quarantine(0, List.of(), 1));
        assertThat(migration.status().events())
            .anySatisfy(
                event ->
                    assertThat(event)
                        .contains("\"key\":\"" + rejected.digest() + "\"", "\"what\":\"drop\"")
                        .contains(Refusing.REASON, "\"who\":\"" + Machine.user() + "\""));
        assertThat(migration.run().verify().differences()).isZero();
        assertThat(Migration.verifyCertificate(migration.certificate()).losses())
            .containsExactly(rejected.digest());
        assertRefused(
            () -> migration.dropQuarantined(List.of(rejected.digest())),
            "collection files has moved");
      }
      assertThat(Await.of(sides.to().get(key, Sides.call()))).isNull();
    }
  }

  @Test
  void drop_keyChangesAtTheSource_countsAgain() {
    try (Sides sides = new Sides()) {
      StoreKey key = Sides.key(7);
      sides.fill(100);
      try (Migration migration =
          Migration.of(sides.to(Refusing.valuesOf(key)).plan(), ProgressListener.NONE)) {
        migration.copy();
        String digest = migration.status().quarantine().first().get(0).digest();
        migration.dropQuarantined(List.of(digest));
        assertThat(migration.verify().differences()).isZero();

        sides.put(key, "too large again");
        migration.catchUp();

        assertThat(migration.verify().counts().missing()).isEqualTo(1);
        assertThat(migration.status().quarantine().keys()).isEqualTo(1);
        assertThat(migration.status().quarantine().acceptedLosses()).isZero();

        sides.delete(key);
        assertThat(migration.run().verify().differences()).isZero();
        assertThat(Migration.verifyCertificate(migration.certificate()).losses()).isEmpty();
      }
    }
  }

  @Test
  void drop_targetGetsAnotherRow_countsAgain() {
    try (Sides sides = new Sides()) {
      StoreKey key = Sides.key(7);
      sides.fill(100);
      Refusing refusal = Refusing.valuesOf(key);
      try (Migration migration = Migration.of(sides.to(refusal).plan(), ProgressListener.NONE)) {
        migration.copy();
        String digest = migration.status().quarantine().first().get(0).digest();
        migration.dropQuarantined(List.of(digest));
        assertThat(migration.verify().differences()).isZero();

        Await.of(
            sides
                .to()
                .write(key, Mutation.put(Bytes.utf8("foreign")).withVersion(7L), Sides.call()));

        assertThatThrownBy(migration::cutover)
            .isExactlyInstanceOf(MigrationException.Mismatch.class)
            .hasMessage(
                "1 keys of files differ in another way than it was accepted; nothing was moved:"
                    + " repair them and verify again");
        assertThat(migration.verify().counts().different()).isEqualTo(1);
        refusal.turn(false);
        assertThat(migration.repair().repaired()).isEqualTo(1);
        assertThat(migration.run().verify().differences()).isZero();
        assertThat(Migration.verifyCertificate(migration.certificate()).losses()).isEmpty();
      }
    }
  }

  @Test
  void drop_notWhatWasRejected_isRefused() {
    try (Sides sides = new Sides()) {
      sides.fill(100);
      Refusing refusal = Refusing.valuesOf(Sides.key(7));
      try (Migration migration = Migration.of(sides.to(refusal).plan(), ProgressListener.NONE)) {
        migration.copy();
        String digest = migration.status().quarantine().first().get(0).digest();
        refusal.turn(false);
        sides.put(Sides.key(7), "short");

        assertRefused(
            () -> migration.dropQuarantined(List.of(digest)),
            "key " + digest + " is equal on both sides by now: give dead-letters retry");
        assertThat(migration.retryQuarantined()).isZero();
      }
    }
  }

  private static void assertRefused(ThrowingCallable drop, String why) {
    assertThatThrownBy(drop)
        .isExactlyInstanceOf(MigrationException.CutoverRefused.class)
        .hasMessageStartingWith("no loss was accepted: " + why);
  }

  @Test
  void cutover_longKeyDeletedAtTheSource_isSettled() {
    try (Sides sides = new Sides()) {
      StoreKey key = StoreKey.of(Bytes.utf8("row"), Bytes.utf8("k".repeat(40_000)));
      Refusing refusal = Refusing.key(key);
      sides.fill(100);
      sides.put(key, "value");
      try (Migration migration = Migration.of(sides.to(refusal).plan(), ProgressListener.NONE)) {
        migration.copy();
        MigrationStatus.Quarantine quarantine = migration.status().quarantine();
        assertThat(quarantine.keys()).isEqualTo(1);
        assertThat(quarantine.first()).extracting(RejectedKey::key).containsExactly(key);

        sides.delete(key);
        assertThat(migration.run().verify().differences()).isZero();
        assertThat(migration.status().quarantine().keys()).isZero();
      }
    }
  }

  /** Copies while nothing is refused, and then has as many keys refused as the limit allows. */
  private static void copyAndRejectUpToTheLimit(
      Sides sides, Refusing refusal, Migration migration) {
    migration.copy();
    refusal.turn(true);
    for (int i = 0; i < LIMIT; i++) {
      sides.put(Sides.key(i), "too large");
    }
    migration.catchUp();
  }
}
