package dev.kvshift.spi;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The record that a store with metadata keeps of a lock space: whether this store grants its locks,
 * and above which token. It is to locks what {@link CollectionRecord} is to rows. Immutable.
 *
 * <p>It is the metadata record {@code locks/SPACE}, a text: {@code v1 importing copy=ID@SOURCE}
 * while another store has the authority over the space, {@code v1 active floor=F copy=ID@SOURCE}
 * once that store has moved it here, {@code v1 active floor=0} if it was never moved. A name that
 * metadata cannot have is replaced by its SHA-256.
 */
public final class LockSpaceRecord {
  private static final Pattern PLAIN = Pattern.compile("[a-z0-9._-]{1,128}");
  private static final Pattern FORM =
      Pattern.compile("v1 (importing|active floor=([0-9]{1,19}))(?: copy=([!-~]+))?");
  private static final LockSpaceRecord LIVE = new LockSpaceRecord(true, 0, null);

  private final boolean active;
  private final long floor;
  private final @Nullable Copy copy;

  private LockSpaceRecord(boolean active, long floor, @Nullable Copy copy) {
    this.active = active;
    this.floor = floor;
    this.copy = copy;
  }

  /**
   * Returns the record of a space that was never moved: this store has always granted its locks.
   */
  public static LockSpaceRecord live() {
    return LIVE;
  }

  /** Returns the record of a space that another store still grants, until its move has ended. */
  public static LockSpaceRecord importing(Copy copy) {
    return new LockSpaceRecord(false, 0, Objects.requireNonNull(copy));
  }

  /** Returns the record after the move: this store grants tokens above the floor. */
  public LockSpaceRecord activated(long newFloor) {
    return new LockSpaceRecord(true, newFloor, copy);
  }

  /** Returns whether this store grants the locks. */
  public boolean isActive() {
    return active;
  }

  /** Returns whether another store has moved the space here. */
  public boolean isHandedOver() {
    return active && floor > 0;
  }

  /** Returns the token above which this store's tokens begin; 0 if the space was never moved. */
  public long floor() {
    return floor;
  }

  /** Returns the identity of the move; null if there was none. */
  public @Nullable Copy copy() {
    return copy;
  }

  /** Returns the name of the metadata record. */
  public static String metadataName(String space) {
    return "locks/" + (PLAIN.matcher(space).matches() ? space : "sha256:" + digest(space));
  }

  private static String digest(String space) {
    try {
      return HexFormat.of()
          .formatHex(
              MessageDigest.getInstance("SHA-256").digest(space.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }

  /**
   * Returns the record that the bytes hold.
   *
   * @throws KvException.Permanent if they have another form, such as that of a newer version
   */
  public static LockSpaceRecord parse(String space, Bytes bytes) {
    Matcher form = FORM.matcher(bytes.toUtf8());
    if (!form.matches()) {
      throw unknownForm(space, null);
    }
    try {
      String floor = form.group(2);
      String copy = form.group(3);
      return new LockSpaceRecord(
          floor != null,
          floor == null ? 0 : Long.parseLong(floor),
          copy == null ? null : Copy.parse(copy));
    } catch (IllegalArgumentException e) {
      throw unknownForm(space, e);
    }
  }

  private static KvException unknownForm(String space, @Nullable Throwable cause) {
    return new KvException.Permanent(
        "the record of lock space " + space + " has an unknown form: use a newer kvshift", cause);
  }

  /** Returns the bytes to keep. */
  public Bytes print() {
    return Bytes.utf8(
        "v1 "
            + (active ? "active floor=" + floor : "importing")
            + (copy == null ? "" : " copy=" + copy));
  }

  /** Reads a space's record; null if there is none. */
  public static CompletionStage<@Nullable LockSpaceRecord> read(Metadata metadata, String space) {
    return metadata
        .get(metadataName(space))
        .thenApply(bytes -> bytes == null ? null : parse(space, bytes));
  }

  /**
   * Returns the record of a space that this store grants, and creates it if there is none, as a
   * driver does before it grants the first lock to a client that no former authority has sent.
   * Fails with {@code Permanent} while another store has the authority.
   */
  public static CompletionStage<LockSpaceRecord> claim(Metadata metadata, String space) {
    return change(
        metadata,
        space,
        found -> {
          if (found != null && !found.active) {
            throw new KvException.Permanent(
                "lock space "
                    + space
                    + " has not been moved to this store yet, which grants no lock of it: use"
                    + " transition:// until it has");
          }
          return found == null ? LIVE : found;
        });
  }

  /**
   * Announces the move of a space to this store, which then grants no lock of it until {@link
   * #activate}. Returns the record that holds: that of an earlier run if there is one. Fails with
   * {@code Permanent} if this store has always granted its locks.
   *
   * @param copy the identity of the move if there is none yet
   */
  public static CompletionStage<LockSpaceRecord> announce(
      Metadata metadata, String space, Copy copy) {
    return change(
        metadata,
        space,
        found -> {
          if (found != null && found.copy == null) {
            throw new KvException.Permanent(
                "lock space "
                    + space
                    + " is in use on the new store already, without a move: nothing was changed;"
                    + " stop the services that take its locks on scylla:// and choose another name,"
                    + " or check the new store's connection string");
          }
          return found == null ? importing(copy) : found;
        });
  }

  /**
   * Ends the move: this store grants tokens above the floor. Succeeds if that was done already;
   * {@code Permanent} if the record is of another move, or has another floor.
   */
  public static CompletionStage<LockSpaceRecord> activate(
      Metadata metadata, String space, Copy copy, long floor) {
    return change(
        metadata,
        space,
        found -> {
          requireMove(space, found, copy, floor);
          return Objects.requireNonNull(found).activated(floor);
        });
  }

  /**
   * Checks that a store's record is that of a move.
   *
   * @param found the record; null for none
   * @throws KvException.Permanent if it is not
   */
  public static void requireMove(
      String space, @Nullable LockSpaceRecord found, @Nullable Copy copy, long floor) {
    boolean isSame =
        found != null
            && copy != null
            && copy.equals(found.copy)
            && (!found.active || found.floor == floor);
    if (!isSame) {
      throw new KvException.Permanent(
          "the new store's record of lock space "
              + space
              + " is "
              + (found == null ? "missing" : "'" + found + "'")
              + ", the old one has moved it as copy "
              + copy
              + " with floor "
              + floor
              + ": no lock was granted; check the new store's connection string");
    }
  }

  private static CompletionStage<LockSpaceRecord> change(
      Metadata metadata,
      String space,
      Function<@Nullable LockSpaceRecord, LockSpaceRecord> decision) {
    return read(metadata, space)
        .thenCompose(
            found -> {
              LockSpaceRecord next = decision.apply(found);
              return next.equals(found)
                  ? CompletableFuture.completedFuture(next)
                  : metadata
                      .compareAndSet(
                          metadataName(space), found == null ? null : found.print(), next.print())
                      .thenCompose(
                          applied ->
                              applied
                                  ? CompletableFuture.completedFuture(next)
                                  : change(metadata, space, decision));
            });
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof LockSpaceRecord that
        && active == that.active
        && floor == that.floor
        && Objects.equals(copy, that.copy);
  }

  @Override
  public int hashCode() {
    return Objects.hash(active, floor, copy);
  }

  /** Returns the text that is kept. */
  @Override
  public String toString() {
    return print().toUtf8();
  }
}
