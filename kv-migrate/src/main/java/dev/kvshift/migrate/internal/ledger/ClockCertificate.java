package dev.kvshift.migrate.internal.ledger;

import dev.kvshift.api.Layout;
import dev.kvshift.migrate.api.ClockCertificateReport;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.internal.context.StoreClocks;
import dev.kvshift.spi.ClockSkew;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Phase;
import dev.kvshift.transition.MergePass;
import java.time.Duration;
import java.util.Arrays;
import java.util.Objects;

/**
 * The proof under which a collection moves from a store without a leader, or is taken back: the
 * pass over all keys of both sides, and who was in which phase when it began. Ledger keys {@code
 * clock-certificate} and {@code clock-certificate-back}. Printed and hashed as a {@link
 * Certificate} is, of which a leader's log, topic and fence are the half; its member {@code
 * ordering} tells them apart.
 *
 * @param subject the migration that it is about
 * @param entered the gate when the pass began
 * @param pass the pass
 * @param clocks the clocks of both stores after it
 * @param who the user who has run it to its end
 * @param host the machine that it ended on, by whose clock it ended
 */
public record ClockCertificate(
    Subject subject,
    Entered entered,
    MergeRecord pass,
    StoreClocks clocks,
    String who,
    String host) {
  /** The key of the proof under which the collection has moved last, or was about to. */
  public static final LedgerKey<ClockCertificate> KEY = key("clock-certificate");

  /** The key of the proof under which it was taken back last. It outlives a {@code reset}. */
  public static final LedgerKey<ClockCertificate> BACK = key("clock-certificate-back");

  private static final String ORDERING = "ordering";
  private static final String CLOCKS = "clocks";

  private static LedgerKey<ClockCertificate> key(String name) {
    return new LedgerKey<>(name, ClockCertificate::print, ClockCertificate::parse);
  }

  /**
   * The migration that a certificate is about.
   *
   * @param collection the collection's name
   * @param source the store that it leaves
   * @param target the store that it moves to
   * @param incarnation the incarnation of the target's collection
   * @param copy the copy that fills the target, which both stores and the gate name
   */
  public record Subject(String collection, Side source, Side target, long incarnation, Copy copy) {}

  /**
   * One side.
   *
   * @param store its connection string without secrets
   * @param layout the collection's layout there
   */
  public record Side(String store, Layout layout) {
    private Members print() {
      return new Members().with("store", store).with("layout", layout.toString());
    }

    private static Side parse(Members members) {
      return new Side(members.text("store"), Layout.parse(members.text("layout")));
    }
  }

  /**
   * The gate when the pass began, and who has reported to it.
   *
   * @param phase the phase, in which reads merge both sides
   * @param epoch its epoch
   * @param acceptMin the epoch that every process had acknowledged by then, or its lease was over
   * @param instances the number of processes that were alive after the pass
   * @param skew the most that one of their clocks was away from the target's; zero if none has
   *     measured it
   */
  public record Entered(Phase phase, long epoch, long acceptMin, int instances, Duration skew) {
    private Members print() {
      return new Members()
          .with("phase", phase.word())
          .with("epoch", epoch)
          .with("acceptMin", acceptMin)
          .with("instances", instances)
          .withMillis("instanceSkewMillis", skew);
    }

    private static Phase phase(String word) {
      return Arrays.stream(Phase.values())
          .filter(phase -> phase.word().equals(word))
          .findFirst()
          .orElseThrow(() -> new IllegalArgumentException("no phase '" + word + "'"));
    }

    private static Entered parse(Members members) {
      return new Entered(
          phase(members.text("phase")),
          members.number("epoch"),
          members.number("acceptMin"),
          members.count("instances"),
          members.millis("instanceSkewMillis"));
    }
  }

  /** Returns whether a text, which {@link Members} can parse, is a certificate of this kind. */
  public static boolean isOne(String json) {
    return Members.parse(json).has(ORDERING);
  }

  /** Returns the key that it is kept under. */
  public LedgerKey<ClockCertificate> key() {
    return isOfMove() ? KEY : BACK;
  }

  /** Returns whether it is of a move, and not of a way back. */
  private boolean isOfMove() {
    return entered.phase == Phase.NEW_READ;
  }

  /** Returns whether it was made in a later epoch than another one of the same copy. */
  public boolean isAfter(ClockCertificate other) {
    return subject.copy.equals(other.subject.copy) && entered.epoch > other.entered.epoch;
  }

  /**
   * Checks everything that the step out of the merge needs.
   *
   * @param merged the state of the gate that the step leaves
   * @throws MigrationException.CutoverRefused if something is not right, naming it
   */
  public void requireFor(Gate.State merged) {
    requireComplete();
    requireCopy(merged);
    if (merged.phase() != entered.phase || merged.epoch() != entered.epoch) {
      throw refused("it is in epoch " + merged.epoch() + ", and " + madeIn());
    }
  }

  /**
   * Checks that it is of the move into a phase from which there is no way back.
   *
   * @param primary the state of the gate, in new-primary
   * @throws MigrationException.CutoverRefused if it is of another one
   */
  public void requireMoved(Gate.State primary) {
    requireComplete();
    requireCopy(primary);
    if (!isOfMove() || primary.epoch() != entered.epoch + 1) {
      throw refused("it has come into epoch " + primary.epoch() + ", and " + madeIn());
    }
  }

  private String madeIn() {
    return "the pass of its certificate was made in epoch " + entered.epoch;
  }

  private void requireCopy(Gate.State state) {
    if (!subject.copy.equals(state.copy())) {
      throw refused(
          "the gate names copy " + state.copy() + ", and its certificate is of " + subject.copy);
    }
  }

  /** Checks what can be checked without the stores. */
  private void requireComplete() {
    if (!subject.copy.equals(pass.copy())) {
      throw refused("its pass has filled copy " + pass.copy() + ", not " + subject.copy);
    }
    if (entered.phase != Phase.SHADOW_READ && !isOfMove()) {
      throw refused(
          "its pass began in phase "
              + entered.phase.word()
              + ", in which reads do not merge both sides");
    }
    if (entered.acceptMin != entered.epoch) {
      throw refused(
          "its pass began before every process had entered epoch "
              + entered.epoch
              + ": one may have written to one side alone");
    }
    if (pass.epoch() != entered.epoch) {
      throw refused(
          "its pass began in epoch " + pass.epoch() + ", and it left epoch " + entered.epoch);
    }
    if (!pass.isWhole()) {
      throw refused("its pass has not read both sides to their ends");
    }
    if (Objects.requireNonNull(pass.ended()).isBefore(pass.began())) {
      throw refused("its pass ended before it began: check the clock");
    }
    MergePass.Counts counts = pass.position().counts();
    if (counts.residue() != 0 || counts.purged() != 0) {
      throw refused(
          "the accounting of its pass has a residue of "
              + (counts.residue() + counts.purged())
              + ": report this");
    }
    if (isOfMove()) { // one may go back from a clock that is wrong
      requireClock("source", clocks.source());
      requireClock("target", clocks.target());
    }
  }

  private void requireClock(String side, ClockSkew skew) {
    if (!skew.isWithinLimit()) {
      throw refused(Certificate.clockOff(side, skew));
    }
  }

  private MigrationException.CutoverRefused refused(String why) {
    return new MigrationException.CutoverRefused(
        "collection "
            + subject.collection
            + (isOfMove() ? " was not moved: " : " was not taken back: ")
            + why);
  }

  /**
   * Checks a certificate without the stores that it is about.
   *
   * @param json the certificate, as {@link #toJson} prints it
   * @throws IllegalArgumentException if it is not such a certificate, or was changed
   * @throws MigrationException.CutoverRefused if something is not right, naming it
   */
  public static ClockCertificate verify(String json) {
    ClockCertificate certificate = parse(Members.parse(json));
    certificate.requireComplete();
    return certificate;
  }

  /** Returns the subject of a complete certificate. */
  public ClockCertificateReport report() {
    return new ClockCertificateReport(
        subject.collection,
        subject.copy.toString(),
        isOfMove(),
        print(subject.source),
        print(subject.target),
        entered.epoch,
        entered.instances,
        pass.position().counts(),
        pass.began(),
        Objects.requireNonNull(pass.ended()),
        who + " on " + host);
  }

  private static String print(Side side) {
    return side.store + ", layout " + side.layout;
  }

  /** Returns the certificate as JSON, with its hash. */
  public String toJson() {
    return print().toString();
  }

  /** Returns the SHA-256 by which events and people name it. */
  public String hash() {
    return Certificate.hash(printChecked());
  }

  private Members print() {
    return Certificate.withHash(printChecked());
  }

  private Members printChecked() {
    return new Members()
        .with(ORDERING, CLOCKS)
        .with("collection", subject.collection)
        .with("copyId", subject.copy.toString())
        .with("incarnation", subject.incarnation)
        .with("source", subject.source.print())
        .with("target", subject.target.print())
        .with("entered", entered.print())
        .with("pass", pass.print())
        .with(CLOCKS, Certificate.printClocks(clocks))
        .with("who", who)
        .with("host", host);
  }

  private static ClockCertificate parse(Members members) {
    Certificate.requireHash(members);
    if (!members.text(ORDERING).equals(CLOCKS)) {
      throw new IllegalArgumentException(
          "the ordering " + members.text(ORDERING) + " is unknown: use a newer kvshift");
    }
    return new ClockCertificate(
        new Subject(
            members.text("collection"),
            Side.parse(members.object("source")),
            Side.parse(members.object("target")),
            members.number("incarnation"),
            Copy.parse(members.text("copyId"))),
        Entered.parse(members.object("entered")),
        MergeRecord.parse(members.object("pass")),
        Certificate.parseClocks(members.object(CLOCKS)),
        members.text("who"),
        members.text("host"));
  }
}
