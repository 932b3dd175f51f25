package dev.kvshift.migrate.internal.ledger;

import dev.kvshift.api.KvException;
import dev.kvshift.fuzz.FuzzTarget;
import dev.kvshift.migrate.api.MigrationException;
import java.util.List;

/** Records of a migration, each kind of which tries every input, and printed certificates. */
public final class LedgerFuzz implements FuzzTarget {
  private static final List<LedgerKey<?>> KINDS =
      List.of(
          MigrationConfig.KEY,
          CopyPlan.KEY,
          CopyTaskGroup.GROUPS,
          TaskRecord.ALL,
          Pause.KEY,
          Rates.KEY,
          ResetRecord.KEY,
          StreamProgress.KEY,
          VerifyPass.KEY,
          VerifyRecord.KEY,
          CutoverRecord.KEY,
          QuarantinedKey.ALL,
          Event.ALL,
          Certificate.KEY,
          ClockCertificate.KEY);

  @Override
  public List<byte[]> seeds() {
    return FuzzTarget.texts(
        "{}",
        """
        {"layout":"range;shard=bits=8;encoding=1","incarnation":1,"source":"s","topic":"t",
         "partitions":6,"retentionMillis":1000,"at":"2026-01-01T00:00:00Z",
         "copyId":"0123456789abcdef0123456789abcdef@s","topicId":"i"}
        """,
        """
        {"tasks":[{"after":-1,"upTo":3,"position":"AA==","done":false,"read":1,"written":1,
         "skippedTombstones":0,"skippedExpired":0,"rejected":0,"highestVersion":7}]}
        """,
        """
        {"state":{"status":"running","owner":"o","attempt":1,"renewal":2,"leaseMillis":3,
         "failures":4,"reason":"r"},"done":5,"total":6}
        """,
        """
        {"from":1,"position":2,"logId":"l","keptUntil":"2026-01-01T00:00:00Z","counts":[[1,2,3]]}
        """);
  }

  @Override
  public void decode(byte[] input) {
    String text = FuzzTarget.text(input);
    Members members = Members.parse(text);
    for (LedgerKey<?> kind : KINDS) {
      read(kind, members);
    }
    try {
      Certificate.verify(text);
    } catch (MigrationException | IllegalArgumentException refused) {
      // What the certificate lacks.
    }
  }

  private static void read(LedgerKey<?> kind, Members members) {
    try {
      kind.parse(members);
    } catch (KvException | IllegalArgumentException refused) {
      // The other kinds are tried as well.
    }
  }
}
