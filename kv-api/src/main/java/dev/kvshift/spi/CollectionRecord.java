package dev.kvshift.spi;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What a store with metadata keeps about a collection: its layout, whether a migration is filling
 * it or it is live, and its incarnation. Kept as the metadata record {@code collection/NAME}, as
 * text: {@code v1 STATE floor=F incarnation=N LAYOUT}. Immutable.
 *
 * @param layout the layout, which never changes within an incarnation
 * @param state who may write
 * @param floor the version above which this store's own versions begin, µs; 0 where there was no
 *     migration
 * @param incarnation which life of the collection this is, from 1; part of physical table names
 */
public record CollectionRecord(Layout layout, State state, long floor, long incarnation) {
  /** Who may write. */
  public enum State {
    /** A migration alone. */
    IMPORTING,
    /** Services. */
    ACTIVE
  }

  /** What is added to a collection's name to name its shard directory. */
  public static final String DIRECTORY_SUFFIX = "_shards";

  private static final int CLAIM_TRIES = 5;
  private static final Duration CLAIM_AGAIN_AFTER = Duration.ofMillis(200);
  private static final Pattern NAME = Pattern.compile("[a-z][a-z0-9-]{0,31}(_shards)?");
  private static final Pattern FORM =
      Pattern.compile("v1 (importing|active) floor=(\\d{1,19}) incarnation=(\\d{1,9}) (.+)");

  /**
   * Returns the name where it is one that a collection may have.
   *
   * @throws KvException.Permanent where it is not
   */
  public static String requireName(String name) {
    if (!NAME.matcher(name).matches()) {
      throw new KvException.Permanent(
          "collection name '" + name + "': give a letter a-z, then at most 31 of a-z, 0-9 and '-'");
    }
    return name;
  }

  /** Returns the name of the metadata record. */
  public static String metadataName(String collection) {
    return "collection/" + collection;
  }

  /** Returns the record that the bytes stand for; {@code Permanent} where a newer form is met. */
  public static CollectionRecord parse(String collection, Bytes bytes) {
    Matcher form = FORM.matcher(bytes.toUtf8());
    try {
      if (form.matches()) {
        return new CollectionRecord(
            Layout.parse(form.group(4)),
            form.group(1).equals("active") ? State.ACTIVE : State.IMPORTING,
            Long.parseLong(form.group(2)),
            Long.parseLong(form.group(3)));
      }
    } catch (IllegalArgumentException e) {
      throw unknownForm(collection, e);
    }
    throw unknownForm(collection, null);
  }

  private static KvException unknownForm(String collection, @Nullable Throwable cause) {
    return new KvException.Permanent(
        "the record of collection " + collection + " has an unknown form: use a newer kvshift",
        cause);
  }

  /** Returns the bytes to keep. */
  public Bytes print() {
    return Bytes.utf8(
        "v1 "
            + (state == State.ACTIVE ? "active" : "importing")
            + " floor="
            + floor
            + " incarnation="
            + incarnation
            + " "
            + layout);
  }

  /** Reads a collection's record, or null. */
  public static CompletionStage<@Nullable CollectionRecord> read(Metadata metadata, String name) {
    return metadata
        .get(metadataName(name))
        .thenApply(bytes -> bytes == null ? null : parse(name, bytes));
  }

  /**
   * Checks a collection's record and makes it where there is none, as every driver with metadata
   * does on open. Safe when many processes do it at once.
   *
   * <p>A claim of {@code ACTIVE} makes {@code active(0)}, one of {@code IMPORTING} makes {@code
   * importing}, each with incarnation 1; each fails with {@code Permanent} where the other holds.
   * {@code NONE} makes nothing and fails with {@code Permanent} where there is no record. An
   * unknown outcome is resolved by reading the record again, and by claiming again where there is
   * none, a few times at most.
   */
  public static CompletionStage<CollectionRecord> claim(
      Metadata metadata, String name, Layout layout, Claim claim) {
    requireName(name);
    return claim(metadata, name, layout, claim, CLAIM_TRIES);
  }

  private static CompletionStage<CollectionRecord> claim(
      Metadata metadata, String name, Layout layout, Claim claim, int tries) {
    return read(metadata, name)
        .thenCompose(
            found -> {
              if (found != null) {
                return CompletableFuture.completedFuture(found.check(name, layout, claim));
              }
              if (claim == Claim.NONE) {
                return CompletableFuture.failedFuture(
                    new KvException.Permanent(
                        "collection "
                            + name
                            + " does not exist on the new store: prepare its migration first"));
              }
              State state = claim == Claim.ACTIVE ? State.ACTIVE : State.IMPORTING;
              CollectionRecord made = new CollectionRecord(layout, state, 0, 1);
              return metadata
                  .compareAndSet(metadataName(name), null, made.print())
                  .exceptionallyCompose(error -> afterUnknown(error, tries))
                  .thenCompose(
                      applied ->
                          applied
                              ? CompletableFuture.completedFuture(made)
                              : claim(metadata, name, layout, claim, tries - 1));
            });
  }

  /** Many that claim at once make one another's outcomes unknown: whose it is, reading tells. */
  private static CompletionStage<Boolean> afterUnknown(Throwable error, int tries) {
    return Futures.unwrap(error) instanceof KvException.UnknownOutcome && tries > 1
        ? Futures.after(CLAIM_AGAIN_AFTER).thenApply(waited -> false)
        : CompletableFuture.failedFuture(Futures.unwrap(error));
  }

  /**
   * Ends the import: writes {@code active(floor)}. Succeeds where it has been written already, with
   * the same floor and incarnation; {@code Permanent} where another holds.
   */
  public static CompletionStage<CollectionRecord> activate(
      Metadata metadata, String name, long floor, long incarnation) {
    return read(metadata, name)
        .thenCompose(
            found -> {
              if (found == null || found.incarnation != incarnation) {
                return CompletableFuture.failedFuture(
                    new KvException.Permanent(
                        "collection " + name + " cannot be activated: its record is " + found));
              }
              CollectionRecord active =
                  new CollectionRecord(found.layout, State.ACTIVE, floor, incarnation);
              if (found.equals(active)) {
                return CompletableFuture.completedFuture(found);
              }
              if (found.state == State.ACTIVE) {
                return CompletableFuture.failedFuture(
                    new KvException.Permanent(
                        "collection " + name + " is active already, with floor " + found.floor));
              }
              return metadata
                  .compareAndSet(metadataName(name), found.print(), active.print())
                  .thenCompose(
                      applied ->
                          applied
                              ? CompletableFuture.completedFuture(active)
                              : activate(metadata, name, floor, incarnation));
            });
  }

  private CollectionRecord check(String name, Layout wanted, Claim claim) {
    if (!layout.equals(wanted)) {
      throw new KvException.Permanent(
          "collection "
              + name
              + " has the layout "
              + layout
              + ", not "
              + wanted
              + ": open it with its own; changing a layout is a migration");
    }
    if (claim == Claim.ACTIVE && state == State.IMPORTING) {
      throw new KvException.Permanent(
          "collection "
              + name
              + " is being imported by a migration: use transition:// until it is active");
    }
    if (claim == Claim.IMPORTING && state == State.ACTIVE) {
      throw new KvException.Permanent(
          "collection "
              + name
              + " is active on the target already: a migration must not import into it");
    }
    return this;
  }
}
