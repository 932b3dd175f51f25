package dev.kvshift.migrate.internal.ledger;

import com.google.common.hash.Hashing;
import dev.kvshift.api.Layout;
import dev.kvshift.migrate.api.CopyCounts;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.spi.Copy;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * The proof under which a collection moves. Ledger key {@code certificate}: JSON whose last member,
 * {@code sha256}, is the hash of the text of the others. A certificate with another hash cannot be
 * read.
 *
 * @param subject what it is about
 * @param verify the full comparison
 * @param copy the accounting of the copy, or null if nothing was copied
 * @param quarantined number of keys whose newest version is not on the target
 * @param horizons how far back the change log and the topic reach
 * @param fence what was checked inside the fence, or null before
 */
public record Certificate(
    Subject subject,
    VerifyRecord verify,
    @Nullable CopyCounts copy,
    int quarantined,
    Horizons horizons,
    @Nullable FenceCheck fence) {
  /** The key of the record. */
  public static final LedgerKey<Certificate> KEY =
      new LedgerKey<>("certificate", Certificate::print, Certificate::parse);

  /** Maximum age of the comparison at the move. */
  static final Duration MAX_AGE = Duration.ofHours(24);

  private static final String CHECKSUM = "sha256";

  /**
   * The migration that a certificate is about.
   *
   * @param collection the collection's name
   * @param layout its layout on the target
   * @param incarnation the incarnation of the target's collection
   * @param topic the topic's name
   * @param streamedFrom S0, the position after which the stream began
   * @param identity the names of lives; null in certificates of versions that kept none
   */
  public record Subject(
      String collection,
      Layout layout,
      long incarnation,
      String topic,
      long streamedFrom,
      @Nullable Identity identity) {}

  /**
   * The lives that the proof is about; a store, a log or a topic of the same name is not enough.
   *
   * @param copy what the migration has filled, with the origin of the source's change log
   * @param logId the identity of the source's change log up to the streamed position
   * @param topicId Kafka's id of the topic
   */
  public record Identity(Copy copy, String logId, String topicId) {}

  /**
   * How far back the change log and the topic reach.
   *
   * @param oldestChange the oldest position in the change log
   * @param newestChange the newest position in the change log
   * @param topicRetention how long the topic keeps changes
   */
  public record Horizons(long oldestChange, long newestChange, Duration topicRetention) {}

  /**
   * What was checked inside the fence.
   *
   * @param attempt the name of the attempt
   * @param version F, the fence's version
   * @param position the fence's position, up to which everything is applied and checked
   * @param markers number of partitions whose marker was applied
   * @param tail what the tail check found
   * @param at when the check ended
   */
  public record FenceCheck(
      String attempt, long version, long position, int markers, Tail tail, Instant at) {}

  /**
   * What the tail check found.
   *
   * @param keysRead number of changed keys that were read on the target
   * @param differences number of them that differ
   */
  public record Tail(long keysRead, long differences) {}

  /** Returns the certificate with what was checked inside the fence. */
  public Certificate with(FenceCheck check) {
    return new Certificate(subject, verify, copy, quarantined, horizons, check);
  }

  /**
   * Checks everything that can be checked before the fence.
   *
   * @throws MigrationException.CutoverRefused if something is missing or not right, naming it
   */
  public void requireReadyForFence(Instant now) {
    if (subject.identity == null) {
      throw missing("copyId");
    }
    if (copy == null) {
      throw missing("copy");
    }
    if (verify.report().differences() != 0) {
      throw refused("the last comparison found differences: repair them and verify again");
    }
    Duration age = Duration.between(verify.at(), now);
    if (age.compareTo(MAX_AGE) > 0) {
      throw refused("the last comparison is " + age.toHours() + " h old: verify again");
    }
    if (quarantined != 0) {
      throw refused(
          quarantined
              + " keys are quarantined, and their newest version is not on the target: the command"
              + " status shows them and why; write or delete them at the source");
    }
    if (copy.residue() != 0) {
      throw refused("the copy's accounting has a residue of " + copy.residue() + ": report this");
    }
  }

  /**
   * Checks everything that the move needs.
   *
   * @throws MigrationException.CutoverRefused if something is missing or not right, naming it
   */
  public void requireComplete(Instant now) {
    requireReadyForFence(now);
    if (fence == null) {
      throw missing("fence");
    }
    if (fence.tail.differences != 0) {
      throw refused("the tail check found differences: repair them and verify again");
    }
  }

  private MigrationException.CutoverRefused missing(String member) {
    return refused("its certificate has no '" + member + "': do that step first");
  }

  private MigrationException.CutoverRefused refused(String why) {
    return new MigrationException.CutoverRefused(
        "collection " + subject.collection + " was not moved: " + why);
  }

  /** Returns the certificate as JSON, with its hash. */
  public String toJson() {
    return print().toString();
  }

  private Members print() {
    Members members = printChecked();
    return members.with(CHECKSUM, hash(members));
  }

  private Members printChecked() {
    Members members =
        new Members()
            .with("collection", subject.collection)
            .with("layout", subject.layout.toString())
            .with("incarnation", subject.incarnation)
            .with("topic", subject.topic)
            .with("streamedFrom", subject.streamedFrom);
    if (subject.identity != null) {
      members
          .with("copyId", subject.identity.copy.toString())
          .with("logId", subject.identity.logId)
          .with("topicId", subject.identity.topicId);
    }
    members.with("verify", verify.print());
    if (copy != null) {
      members.with(
          "copy",
          new Members()
              .with("read", copy.read())
              .with("written", copy.written())
              .with("skippedTombstones", copy.skipped().tombstones())
              .with("skippedExpired", copy.skipped().expired())
              .with("rejected", copy.rejected())
              .with("residue", copy.residue())
              .with("highestVersion", copy.highestVersion()));
    }
    members
        .with("quarantined", quarantined)
        .with(
            "horizons",
            new Members()
                .with("oldestChange", horizons.oldestChange)
                .with("newestChange", horizons.newestChange)
                .withMillis("topicRetentionMillis", horizons.topicRetention));
    if (fence != null) {
      members
          .with(
              "fence",
              new Members()
                  .with("attempt", fence.attempt)
                  .with("version", fence.version)
                  .with("position", fence.position)
                  .with("markers", fence.markers))
          .with(
              "tail",
              new Members()
                  .with("position", fence.position)
                  .with("keysRead", fence.tail.keysRead)
                  .with("differences", fence.tail.differences))
          .with("clock", fence.at);
    }
    return members;
  }

  private static Certificate parse(Members members) {
    if (!hash(members.without(CHECKSUM)).equals(members.text(CHECKSUM))) {
      throw new IllegalArgumentException("the certificate was changed: its hash is another");
    }
    Members horizons = members.object("horizons");
    return new Certificate(
        new Subject(
            members.text("collection"),
            Layout.parse(members.text("layout")),
            members.number("incarnation"),
            members.text("topic"),
            members.number("streamedFrom"),
            members.has("copyId")
                ? new Identity(
                    Copy.parse(members.text("copyId")),
                    members.text("logId"),
                    members.text("topicId"))
                : null),
        VerifyRecord.parse(members.object("verify")),
        members.has("copy") ? CopyTask.parseCounts(members.object("copy")) : null,
        members.count("quarantined"),
        new Horizons(
            horizons.number("oldestChange"),
            horizons.number("newestChange"),
            horizons.millis("topicRetentionMillis")),
        members.has("fence") ? parseFence(members) : null);
  }

  private static FenceCheck parseFence(Members members) {
    Members fence = members.object("fence");
    Members tail = members.object("tail");
    return new FenceCheck(
        fence.text("attempt"),
        fence.number("version"),
        fence.number("position"),
        fence.count("markers"),
        new Tail(tail.number("keysRead"), tail.number("differences")),
        members.instant("clock"));
  }

  private static String hash(Members members) {
    return Hashing.sha256().hashString(members.toString(), StandardCharsets.UTF_8).toString();
  }
}
