package dev.kvshift.migrate.internal.ledger;

import com.google.common.hash.Hashing;
import dev.kvshift.api.Layout;
import dev.kvshift.migrate.api.CertificateReport;
import dev.kvshift.migrate.api.CopyCounts;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.internal.context.StoreClocks;
import dev.kvshift.spi.ClockSkew;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.VersionClock;
import dev.kvshift.transition.MergePass;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The proof under which a collection moves. Ledger key {@code certificate}: JSON whose last member,
 * {@code sha256}, is the hash of the text of the others. A certificate with another hash cannot be
 * read.
 *
 * @param subject the migration that it is about
 * @param verify the full comparison
 * @param copy what was copied, or null if nothing was
 * @param quarantined number of keys whose newest version is not on the target
 * @param losses the digests of the keys that differ as a person has accepted, sorted
 * @param horizons how far back the change log and the topic reach
 * @param clocks the clocks of both stores; null in certificates of versions that did not measure
 * @param last what was checked of the last changes, inside the fence or around the seal; null
 *     before
 * @param back what has brought the source everything that it has missed since, if the collection
 *     was taken back after its move; null if not
 */
public record Certificate(
    Subject subject,
    VerifyRecord verify,
    @Nullable Copied copy,
    int quarantined,
    List<String> losses,
    Horizons horizons,
    @Nullable StoreClocks clocks,
    @Nullable LastCheck last,
    @Nullable Back back) {
  /** The key of the record. */
  public static final LedgerKey<Certificate> KEY = key("certificate");

  /**
   * The key of the proof under which the collection was taken back last: the certificate of its
   * move, with what was done since. It outlives a {@code reset}.
   */
  public static final LedgerKey<Certificate> BACK = key("certificate-back");

  /** Maximum age of the comparison at the move, from its beginning. */
  public static final Duration MAX_AGE = Duration.ofHours(24);

  /** Maximum distance of the highest version, and of the fence's, from the source's clock. */
  static final Duration MAX_AHEAD = VersionClock.MAX_AHEAD;

  private static final String CHECKSUM = "sha256";

  /**
   * Returns a key. A runner that does not know of losses, of rows left, or of a snapshot must not
   * hide them.
   */
  private static LedgerKey<Certificate> key(String name) {
    return new LedgerKey<>(name, Certificate::print, Certificate::parse)
        .withNewerFormat(2, certificate -> !certificate.losses.isEmpty())
        .withNewerFormat(3, Certificate::leftRowsToExpire)
        .withNewerFormat(4, Certificate::isFromSnapshot);
  }

  private boolean leftRowsToExpire() {
    return copy != null && copy.counts.skipped().left().rows() != 0;
  }

  private boolean isFromSnapshot() {
    return copy != null && copy.snapshot != null;
  }

  /** Copies the list. */
  public Certificate {
    losses = List.copyOf(losses);
  }

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
   * The result of the copy.
   *
   * @param tasks number of tasks; 0 in certificates of versions that did not say
   * @param tasksDone number of finished tasks
   * @param counts the accounting
   * @param snapshot the oldest snapshot that rows were copied from; null if all were copied from
   *     the source
   */
  public record Copied(
      int tasks, int tasksDone, CopyCounts counts, @Nullable SnapshotRecord snapshot) {
    /** Creates the result of a copy from the source. */
    public Copied(int tasks, int tasksDone, CopyCounts counts) {
      this(tasks, tasksDone, counts, null);
    }
  }

  /**
   * The limits up to which the change log, the topic and the target's deletes reach back.
   *
   * @param oldestChange the oldest position in the change log
   * @param newestChange the newest position in the change log
   * @param streamed the position up to which the topic held all changes; 0 in certificates of
   *     versions that did not say
   * @param topicRetention how long the topic keeps changes
   * @param tombstoneLifetime how long the target remembers deletes, or null if it never forgets one
   */
  public record Horizons(
      long oldestChange,
      long newestChange,
      long streamed,
      Duration topicRetention,
      @Nullable Duration tombstoneLifetime) {
    /** Returns why a comparison of that age no longer proves anything; null if it does. */
    @Nullable String tooOld(Duration age) {
      return Certificate.tooOld(age, topicRetention, tombstoneLifetime);
    }
  }

  /**
   * Returns why a comparison of an age proves nothing any more, or null if it does.
   *
   * @param age the time since it began
   * @param topicRetention how long the topic keeps changes
   * @param tombstoneLifetime how long the target remembers deletes, or null if it never forgets one
   */
  public static @Nullable String tooOld(
      Duration age, Duration topicRetention, @Nullable Duration tombstoneLifetime) {
    if (age.isNegative()) {
      return "began after now: check the clock, and verify again";
    }
    String began = "began " + age.toHours() + " h ago";
    if (age.compareTo(MAX_AGE) > 0) {
      return began + ": verify again";
    }
    if (age.compareTo(topicRetention) >= 0) {
      return began
          + ", and the topic keeps changes for "
          + topicRetention.toHours()
          + " h only: verify again";
    }
    if (tombstoneLifetime != null && age.compareTo(tombstoneLifetime) >= 0) {
      return began
          + ", and the target remembers deletes for "
          + tombstoneLifetime.toHours()
          + " h only, so a deleted entry may have come back since: raise gc_grace_seconds of its"
          + " tables, and verify again";
    }
    return null;
  }

  /** The check of the last changes before the source stopped for good. */
  public sealed interface LastCheck permits FenceCheck, SealCheck {
    /** Returns the unique name of the attempt. */
    String attempt();

    /** Returns the position up to which the tail check had come. */
    long position();

    /** Returns the result of the tail check. */
    Tail tail();

    /** Returns when the check ended. */
    Instant at();
  }

  /**
   * The check inside the fence.
   *
   * @param attempt the name of the attempt
   * @param version F, the fence's version
   * @param position the fence's position, up to which everything is applied and checked
   * @param markers number of partitions whose marker was applied
   * @param tail what the tail check found
   * @param requested when the fence was raised; null in certificates of versions that did not say
   * @param at when the check ended
   */
  public record FenceCheck(
      String attempt,
      long version,
      long position,
      int markers,
      Tail tail,
      @Nullable Requested requested,
      Instant at)
      implements LastCheck {}

  /**
   * What was checked before the seal of the dual-write cutover, and drained after it. Services
   * write to the target from the seal on, so no key is compared any more then; every write that was
   * acknowledged before is on the target anyway, and the drain brings the others.
   *
   * @param epoch the gate's epoch that was sealed
   * @param position the position up to which the tail check had come
   * @param tail what the tail check had found by then
   * @param at when the check ended, before the seal
   * @param drained what the seal has left, once it is applied; null before
   */
  public record SealCheck(
      long epoch, long position, Tail tail, Instant at, @Nullable Drained drained)
      implements LastCheck {
    @Override
    public String attempt() {
      return "seal-" + epoch;
    }

    /** Returns the check with what the seal has left, and the target now holds. */
    public SealCheck drained(Drained all) {
      return new SealCheck(epoch, position, tail, at, all);
    }
  }

  /**
   * The drain after a seal.
   *
   * @param version the floor: the last version that the source has issued
   * @param position the last position of the change log, up to which everything is applied
   * @param at when it was
   */
  public record Drained(long version, long position, Instant at) {}

  /**
   * The time of the fence, by the runner's clock.
   *
   * @param sent when it was requested
   * @param answered when it was in place
   */
  public record Requested(Instant sent, Instant answered) {}

  /**
   * The result of the tail check.
   *
   * @param keysRead number of changed keys that were read on the target
   * @param differences number of them that differ
   */
  public record Tail(long keysRead, long differences) {}

  /**
   * The way back after the move.
   *
   * @param move the hash of the certificate of the move
   * @param floor F of the move, above which the target alone has issued versions since
   * @param pass the pass over all keys of both sides, which has brought the source what it lacked
   * @param who the user who has taken the collection back
   * @param host the machine that it was done on
   */
  public record Back(String move, long floor, MergeRecord pass, String who, String host) {
    private Members print() {
      return new Members()
          .with("move", move)
          .with("floor", floor)
          .with("pass", pass.print())
          .with("who", who)
          .with("host", host);
    }

    private static Back parse(Members members) {
      return new Back(
          members.text("move"),
          members.number("floor"),
          MergeRecord.parse(members.object("pass")),
          members.text("who"),
          members.text("host"));
    }
  }

  /** Returns the certificate with what was checked last, and found quarantined then. */
  public Certificate with(LastCheck check, int stillQuarantined) {
    return new Certificate(
        subject, verify, copy, stillQuarantined, losses, horizons, clocks, check, null);
  }

  /** Returns the certificate with the losses that were found last. */
  public Certificate withLosses(List<String> found) {
    return new Certificate(subject, verify, copy, quarantined, found, horizons, clocks, last, null);
  }

  /**
   * Returns the proof of the way back after the move that this certificate is of.
   *
   * @param floor F of the move
   * @param pass the pass over both sides that has ended
   */
  public Certificate takenBack(long floor, MergeRecord pass) {
    return with(new Back(hash(), floor, pass, Machine.user(), Machine.name()));
  }

  /**
   * Returns whether this is the proof of a later way back than another one, after the same move. A
   * leader that was made anew counts its epochs from the beginning, and its copy is another.
   */
  public boolean isBackAfter(Certificate other) {
    MergeRecord mine = Objects.requireNonNull(back).pass;
    MergeRecord its = Objects.requireNonNull(other.back).pass;
    return mine.copy().equals(its.copy()) && mine.epoch() > its.epoch();
  }

  /** Returns whether this is the proof of a way back after the move of a certificate. */
  public boolean isBackFrom(Certificate move) {
    return Objects.requireNonNull(back).move.equals(move.hash());
  }

  private Certificate move() {
    return new Certificate(
        subject, verify, copy, quarantined, losses, horizons, clocks, last, null);
  }

  Certificate with(Back newBack) {
    return new Certificate(
        subject, verify, copy, quarantined, losses, horizons, clocks, last, newBack);
  }

  /**
   * Checks everything that the source needs to lead again, for the state of the gate in the target
   * in which the way back is to end.
   *
   * @param merged the state, in which services merge both sides
   * @throws MigrationException.CutoverRefused if something is missing or not right, naming it
   */
  public void requireBack(Gate.State merged) {
    requireBack();
    MergeRecord pass = Objects.requireNonNull(back).pass;
    if (!pass.copy().equals(merged.copy())) {
      throw notBack("the copy is " + merged.copy() + ", and its proof is of " + pass.copy());
    }
    if (back.floor != merged.floor()) {
      throw notBack("it moved at floor " + merged.floor() + ", and its proof is of " + back.floor);
    }
    if (pass.epoch() != merged.epoch() || merged.acceptMin() != merged.epoch()) {
      throw notBack(
          "it is in epoch "
              + merged.epoch()
              + (merged.acceptMin() == merged.epoch() ? "" : ", which not all have entered,")
              + " and the pass of its proof began in epoch "
              + pass.epoch());
    }
  }

  /** Checks what can be checked without the stores. */
  private void requireBack() {
    if (back == null) {
      throw notBack("its certificate has no 'back'");
    }
    requireStopped(checkedAt());
    MergeRecord pass = back.pass;
    if (!back.move.equals(move().hash())) {
      throw notBack("its proof names another certificate of the move");
    }
    Long moved = floor();
    if (moved != null && moved != back.floor) {
      throw notBack("it moved at floor " + moved + ", and its proof is of " + back.floor);
    }
    if (!pass.copy().equals(Objects.requireNonNull(subject.identity).copy)) {
      throw notBack("its proof is of copy " + pass.copy() + ", and another one has moved");
    }
    if (pass.epoch() <= movedIn()) {
      throw notBack(
          "the pass of its proof began in epoch "
              + pass.epoch()
              + ", before it could be taken back");
    }
    if (pass.ended() == null || !pass.isWhole()) {
      throw notBack("the pass of its proof has not read both sides to their ends");
    }
    if (pass.ended().isBefore(pass.began())) {
      throw notBack("the pass of its proof ended before it began: check the clock");
    }
    MergePass.Counts counts = pass.position().counts();
    if (counts.residue() != 0) {
      throw notBack(
          "the accounting of its proof has a residue of " + counts.residue() + ": report this");
    }
  }

  /** Returns the lowest epoch in which the time in clock order can have begun. */
  private long movedIn() {
    return last instanceof SealCheck seal ? seal.epoch + 1 : 1;
  }

  /** Returns F; null if the runner had died after the seal, before it could record it. */
  private @Nullable Long floor() {
    if (last instanceof SealCheck seal) {
      return seal.drained == null ? null : (Long) seal.drained.version;
    }
    return last instanceof FenceCheck fence ? (Long) fence.version : null;
  }

  private MigrationException.CutoverRefused notBack(String why) {
    return new MigrationException.CutoverRefused(
        "collection " + subject.collection + " was not taken back: " + why);
  }

  /**
   * Checks everything that can be checked before the source stops: before the fence, and before
   * each step of the dual-write cutover that trusts the target.
   *
   * @throws MigrationException.CutoverRefused if something is missing or not right, naming it
   */
  public void requireReady(Instant now) {
    if (subject.identity == null) {
      throw missing("copyId");
    }
    requireCopied(now);
    requireVerified(now);
    requireClocks();
    if (quarantined != 0) {
      throw refused(
          quarantined
              + " keys are quarantined, and their newest version is not on the target: the command"
              + " status shows them and why; write or delete them at the source");
    }
    if (horizons.streamed < horizons.oldestChange - 1) {
      throw refused(
          "the source has dropped changes from position "
              + (horizons.streamed + 1)
              + " on, before they were in the topic: wipe the target and prepare again");
    }
  }

  private void requireCopied(Instant now) {
    if (copy == null || copy.tasks == 0) {
      throw missing("copy");
    }
    if (copy.tasksDone != copy.tasks) {
      throw refused(
          copy.tasksDone + " of " + copy.tasks + " tasks of the copy are done: finish the copy");
    }
    if (copy.counts.residue() != 0) {
      throw refused(
          "the copy's accounting has a residue of " + copy.counts.residue() + ": report this");
    }
    if (copy.snapshot != null && copy.snapshot.position() < subject.streamedFrom) {
      throw refused(
          "it was copied from a snapshot at position "
              + copy.snapshot.position()
              + ", and the stream began after position "
              + subject.streamedFrom
              + ", so changes in between are missing: wipe the target and prepare again");
    }
    if (copy.counts.highestVersion() > VersionClock.micros(now.plus(MAX_AHEAD))) {
      throw refused(
          "the source holds version "
              + copy.counts.highestVersion()
              + ", more than "
              + MAX_AHEAD.toMillis()
              + " ms ahead of the clock: no later write would be newer; rewrite that row");
    }
  }

  private void requireVerified(Instant now) {
    if (verify.report().differences() != 0) {
      throw refused("the last comparison found differences: repair them and verify again");
    }
    String tooOld = horizons.tooOld(Duration.between(verify.began(), now));
    if (tooOld != null) {
      throw refused("the last comparison " + tooOld);
    }
  }

  private void requireClocks() {
    if (clocks == null) {
      throw missing("clocks");
    }
    requireClock("source", clocks.source());
    requireClock("target", clocks.target());
  }

  private void requireClock(String side, ClockSkew skew) {
    if (!skew.isWithinLimit()) {
      throw refused(clockOff(side, skew));
    }
  }

  static String clockOff(String side, ClockSkew skew) {
    return "the clock of the "
        + side
        + " is "
        + skew.against("the runner's")
        + ", and 250 ms are allowed: synchronize the clocks";
  }

  /**
   * Checks everything that the move needs, or the activation after a seal.
   *
   * @param now the present time; a sealed collection's certificate is judged by the time of its
   *     seal
   * @throws MigrationException.CutoverRefused if something is missing or not right, naming it
   */
  public void requireComplete(Instant now) {
    requireStopped(now);
    if (last instanceof SealCheck seal && seal.drained == null) {
      throw missing("seal.version");
    }
  }

  /** Checks everything that was needed at the instant at which the source stopped. */
  private void requireStopped(Instant now) {
    if (last instanceof SealCheck seal) {
      requireReady(seal.at);
      requireNoDifference(seal.tail);
      return;
    }
    requireReady(now);
    if (!(last instanceof FenceCheck fence)) {
      throw missing("fence");
    }
    requireNoDifference(fence.tail);
    requireNearTheClock(fence);
  }

  private void requireNoDifference(Tail tail) {
    if (tail.differences != 0) {
      throw refused("the tail check found differences: repair them and verify again");
    }
  }

  private void requireNearTheClock(FenceCheck fence) {
    if (fence.requested == null) {
      throw missing("fence.sent");
    }
    Duration ahead = Objects.requireNonNull(clocks).source().offset();
    Instant earliest = fence.requested.sent.plus(ahead).minus(MAX_AHEAD);
    Instant latest = fence.requested.answered.plus(ahead).plus(MAX_AHEAD);
    if (fence.version < VersionClock.micros(earliest)
        || fence.version > VersionClock.micros(latest)) {
      throw refused(
          "the fence's version "
              + fence.version
              + " is more than "
              + MAX_AHEAD.toMillis()
              + " ms away from the source's clock: check that clock, and start the cutover again");
    }
  }

  /**
   * Checks a certificate of a collection that has moved, without its stores: everything that the
   * move needed, at the time of the last check, and the way back, if there was one.
   *
   * @param json the certificate, as {@link #toJson} prints it
   * @throws IllegalArgumentException if it is not a certificate, or was changed
   * @throws MigrationException.CutoverRefused if something is missing or not right, naming it
   */
  public static Certificate verify(String json) {
    Certificate certificate = parse(Members.parse(json));
    if (certificate.back == null) {
      certificate.requireComplete(certificate.checkedAt());
    } else {
      certificate.requireBack();
    }
    return certificate;
  }

  private Instant checkedAt() {
    if (last == null) {
      throw missing("fence");
    }
    return last.at();
  }

  /** Returns the subject of a complete certificate. */
  public CertificateReport report() {
    String filled = Objects.requireNonNull(subject.identity).copy.toString();
    CertificateReport.Back wentBack = back == null ? null : report(back);
    LastCheck check = Objects.requireNonNull(last);
    Drained drained = check instanceof SealCheck seal ? seal.drained : null;
    Long moved = floor();
    return new CertificateReport(
        subject.collection,
        filled,
        check.attempt(),
        moved == null ? Objects.requireNonNull(back).floor : moved,
        losses,
        copy == null || copy.snapshot == null ? null : copy.snapshot.report(),
        drained == null ? check.at() : drained.at,
        wentBack);
  }

  private static CertificateReport.Back report(Back back) {
    MergeRecord pass = back.pass;
    return new CertificateReport.Back(
        pass.position().counts(),
        pass.epoch(),
        pass.began(),
        Objects.requireNonNull(pass.ended()),
        back.who + " on " + back.host);
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

  /** Returns the SHA-256 by which events and people name it. */
  public String hash() {
    return hash(printChecked());
  }

  private Members print() {
    return withHash(printChecked());
  }

  static Members withHash(Members members) {
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
      Members printed = print(copy.counts);
      if (copy.tasks != 0) {
        printed.with("tasks", copy.tasks).with("tasksDone", copy.tasksDone);
      }
      if (copy.snapshot != null) {
        printed.with("snapshot", copy.snapshot.print());
      }
      members.with("copy", printed);
    }
    members.with("quarantined", quarantined);
    if (!losses.isEmpty()) {
      members.withTexts("acceptedLosses", losses);
    }
    members.with("horizons", printHorizons());
    if (clocks != null) {
      members.with("clocks", printClocks(clocks));
    }
    if (last instanceof FenceCheck fence) {
      Members printed =
          new Members()
              .with("attempt", fence.attempt)
              .with("version", fence.version)
              .with("position", fence.position)
              .with("markers", fence.markers);
      if (fence.requested != null) {
        printed.with("sent", fence.requested.sent).with("answered", fence.requested.answered);
      }
      members.with("fence", printed);
    }
    if (last instanceof SealCheck seal) {
      Members printed = new Members().with("epoch", seal.epoch);
      if (seal.drained != null) {
        printed
            .with("version", seal.drained.version)
            .with("position", seal.drained.position)
            .with("drained", seal.drained.at);
      }
      members.with("seal", printed);
    }
    if (last != null) {
      members.with("tail", printTail(last)).with("clock", last.at());
    }
    return back == null ? members : members.with("back", back.print());
  }

  private static Members printTail(LastCheck last) {
    return new Members()
        .with("position", last.position())
        .with("keysRead", last.tail().keysRead)
        .with("differences", last.tail().differences);
  }

  private Members printHorizons() {
    Members members =
        new Members()
            .with("oldestChange", horizons.oldestChange)
            .with("newestChange", horizons.newestChange);
    if (horizons.streamed != 0) {
      members.with("streamed", horizons.streamed);
    }
    members.withMillis("topicRetentionMillis", horizons.topicRetention);
    return horizons.tombstoneLifetime == null
        ? members
        : members.withMillis("tombstoneLifetimeMillis", horizons.tombstoneLifetime);
  }

  static Members printClocks(StoreClocks clocks) {
    return new Members()
        .withMillis("sourceAheadMillis", clocks.source().atLeast())
        .withMillis("sourceRoundTripMillis", clocks.source().uncertainty().multipliedBy(2))
        .withMillis("targetAheadMillis", clocks.target().atLeast())
        .withMillis("targetRoundTripMillis", clocks.target().uncertainty().multipliedBy(2));
  }

  static StoreClocks parseClocks(Members members) {
    return new StoreClocks(
        skew(members.millis("sourceAheadMillis"), members.millis("sourceRoundTripMillis")),
        skew(members.millis("targetAheadMillis"), members.millis("targetRoundTripMillis")));
  }

  /** The record shows what is certain; the offset lies half a round trip beyond it. */
  private static ClockSkew skew(Duration atLeast, Duration roundTrip) {
    Duration half = roundTrip.dividedBy(2);
    if (atLeast.isZero()) {
      return ClockSkew.of(Duration.ZERO, half);
    }
    return ClockSkew.of(atLeast.isNegative() ? atLeast.minus(half) : atLeast.plus(half), half);
  }

  /** Returns the members of an accounting, as certificates and results of a run print it. */
  public static Members print(CopyCounts counts) {
    Members members =
        new Members()
            .with("read", counts.read())
            .with("written", counts.written())
            .with("skippedTombstones", counts.skipped().tombstones())
            .with("skippedExpired", counts.skipped().expired())
            .with("rejected", counts.rejected())
            .with("residue", counts.residue())
            .with("highestVersion", counts.highestVersion());
    return CopyTask.printLeft(members, counts);
  }

  private static Copied parseCopied(Members members) {
    return new Copied(
        members.has("tasks") ? members.count("tasks") : 0,
        members.has("tasksDone") ? members.count("tasksDone") : 0,
        CopyTask.parseCounts(members),
        members.has("snapshot") ? SnapshotRecord.parse(members.object("snapshot")) : null);
  }

  private static Certificate parse(Members members) {
    requireHash(members);
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
        members.has("copy") ? parseCopied(members.object("copy")) : null,
        members.count("quarantined"),
        members.has("acceptedLosses") ? members.texts("acceptedLosses") : List.of(),
        new Horizons(
            horizons.number("oldestChange"),
            horizons.number("newestChange"),
            horizons.has("streamed") ? horizons.number("streamed") : 0,
            horizons.millis("topicRetentionMillis"),
            horizons.has("tombstoneLifetimeMillis")
                ? horizons.millis("tombstoneLifetimeMillis")
                : null),
        members.has("clocks") ? parseClocks(members.object("clocks")) : null,
        parseLast(members),
        members.has("back") ? Back.parse(members.object("back")) : null);
  }

  static void requireHash(Members members) {
    if (!hash(members.without(CHECKSUM)).equals(members.text(CHECKSUM))) {
      throw new IllegalArgumentException("the certificate was changed: its hash is another");
    }
  }

  private static @Nullable LastCheck parseLast(Members members) {
    if (members.has("seal")) {
      return parseSeal(members);
    }
    return members.has("fence") ? parseFence(members) : null;
  }

  private static SealCheck parseSeal(Members members) {
    Members seal = members.object("seal");
    Members tail = members.object("tail");
    return new SealCheck(
        seal.number("epoch"),
        tail.number("position"),
        parseTail(tail),
        members.instant("clock"),
        seal.has("version")
            ? new Drained(seal.number("version"), seal.number("position"), seal.instant("drained"))
            : null);
  }

  private static Tail parseTail(Members tail) {
    return new Tail(tail.number("keysRead"), tail.number("differences"));
  }

  private static FenceCheck parseFence(Members members) {
    Members fence = members.object("fence");
    return new FenceCheck(
        fence.text("attempt"),
        fence.number("version"),
        fence.number("position"),
        fence.count("markers"),
        parseTail(members.object("tail")),
        fence.has("sent") ? new Requested(fence.instant("sent"), fence.instant("answered")) : null,
        members.instant("clock"));
  }

  static String hash(Members members) {
    return Hashing.sha256().hashString(members.toString(), StandardCharsets.UTF_8).toString();
  }
}
