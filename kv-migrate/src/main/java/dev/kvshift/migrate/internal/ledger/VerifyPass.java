package dev.kvshift.migrate.internal.ledger;

import dev.kvshift.spi.Copy;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A full comparison that has not ended: its beginning, and the location of its progress. Ledger key
 * {@code verify-pass}.
 *
 * @param copy the copy that it compares
 * @param began when it began
 * @param position the applied position at its beginning
 * @param offsets per partition, the topic's offset at its beginning
 * @param owner the random name of the run that compares; only that run may save progress or end the
 *     pass, and another run takes over by naming itself; empty in records of versions without
 *     owners
 * @param checkpoint its progress, or null if there is none yet
 */
public record VerifyPass(
    Copy copy,
    Instant began,
    long position,
    List<Long> offsets,
    String owner,
    @Nullable Checkpoint checkpoint) {
  /** The key of the record. */
  public static final LedgerKey<VerifyPass> KEY =
      new LedgerKey<>("verify-pass", VerifyPass::print, VerifyPass::parse);

  /** Copies the list. */
  public VerifyPass {
    offsets = List.copyOf(offsets);
  }

  /**
   * The location of the progress in the checkpoint topic.
   *
   * @param writer the key of its records; records of other keys between them belong to others
   * @param from the offset of its first record
   * @param to the offset after its last record
   * @param bytes its length
   * @param checksum the CRC-32C of its bytes
   */
  public record Checkpoint(String writer, long from, long to, long bytes, long checksum) {}

  /** Returns the pass with its newest progress. */
  public VerifyPass with(Checkpoint newest) {
    return new VerifyPass(copy, began, position, offsets, owner, newest);
  }

  /** Returns the pass with another owner, who resumes it. */
  public VerifyPass ownedBy(String newOwner) {
    return new VerifyPass(copy, began, position, offsets, newOwner, checkpoint);
  }

  private Members print() {
    Members members =
        new Members()
            .with("copyId", copy.toString())
            .with("began", began)
            .with("position", position)
            .withNumbers("offsets", offsets);
    if (!owner.isEmpty()) {
      members.with("owner", owner);
    }
    return checkpoint == null
        ? members
        : members.with(
            "checkpoint",
            new Members()
                .with("writer", checkpoint.writer)
                .with("from", checkpoint.from)
                .with("to", checkpoint.to)
                .with("bytes", checkpoint.bytes)
                .with("checksum", checkpoint.checksum));
  }

  private static VerifyPass parse(Members members) {
    return new VerifyPass(
        Copy.parse(members.text("copyId")),
        members.instant("began"),
        members.number("position"),
        members.numbers("offsets"),
        members.has("owner") ? members.text("owner") : "",
        members.has("checkpoint") ? parseCheckpoint(members.object("checkpoint")) : null);
  }

  private static Checkpoint parseCheckpoint(Members members) {
    return new Checkpoint(
        members.text("writer"),
        members.number("from"),
        members.number("to"),
        members.number("bytes"),
        members.number("checksum"));
  }
}
