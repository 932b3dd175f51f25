package dev.kvshift.spi;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The record that a store with metadata keeps of a collection: its layout, whether a migration is
 * filling it or services write to it, and which copy it holds. Immutable.
 *
 * <p>It is the metadata record {@code collection/NAME}, a text: {@code v1 STATE floor=F
 * incarnation=N copy=ID@SOURCE readable=1 LAYOUT}. Members may be added between the state and the
 * layout. A reader ignores those that it does not know, and refuses to rewrite a record that has
 * some, since it would lose them.
 */
public final class CollectionRecord {
  /** The state of a collection, which decides who may write. */
  public enum State {
    /** A migration alone may write. */
    IMPORTING,
    /** Services may write. */
    ACTIVE
  }

  /** Suffix of a collection's name that names its shard directory. */
  public static final String DIRECTORY_SUFFIX = "_shards";

  private static final int CLAIM_TRIES = 5;
  private static final Duration CLAIM_AGAIN_AFTER = Duration.ofMillis(200);
  private static final Pattern NAME =
      Pattern.compile("[a-z](?:[a-z0-9-]{0,31}|[a-z0-9_]{0,31})(?:_shards)?");
  private static final Pattern FORM =
      Pattern.compile("v1 (importing|active)((?: [a-z]+=[!-~]*)*) ([a-z]+;[!-~]+)");
  private static final Pattern MEMBER = Pattern.compile(" ([a-z]+)=([!-~]*)");

  private final Layout layout;
  private final State state;
  private final long floor;
  private final long incarnation;
  private final @Nullable Filled filled;
  private final String unknownMembers;

  private CollectionRecord(
      Layout layout,
      State state,
      Versions versions,
      @Nullable Filled filled,
      String unknownMembers) {
    this.layout = layout;
    this.state = state;
    this.floor = versions.floor;
    this.incarnation = versions.incarnation;
    this.filled = filled;
    this.unknownMembers = unknownMembers;
  }

  private record Versions(long floor, long incarnation) {}

  /** The copy that a migration has filled, and whether it holds everything that was copied. */
  private record Filled(Copy copy, boolean readable) {}

  /** Returns the record of a collection that was never migrated: active, floor 0. */
  public static CollectionRecord live(Layout layout) {
    return new CollectionRecord(layout, State.ACTIVE, new Versions(0, 1), null, "");
  }

  /** Returns the record of a collection that a migration fills. */
  public static CollectionRecord importing(Layout layout, Copy copy) {
    return new CollectionRecord(
        layout, State.IMPORTING, new Versions(0, 1), new Filled(copy, false), "");
  }

  /** Returns the same record in another incarnation. */
  public CollectionRecord withIncarnation(long newIncarnation) {
    return new CollectionRecord(
        layout, state, new Versions(floor, newIncarnation), filled, unknownMembers);
  }

  /** Returns the same record with another layout. */
  public CollectionRecord withLayout(Layout newLayout) {
    return new CollectionRecord(
        newLayout, state, new Versions(floor, incarnation), filled, unknownMembers);
  }

  /** Returns the record after the hand-over: active above a floor, in µs. */
  public CollectionRecord activated(long newFloor) {
    Filled known = filled == null ? null : new Filled(filled.copy, false);
    return new CollectionRecord(
        layout, State.ACTIVE, new Versions(newFloor, incarnation), known, unknownMembers);
  }

  /**
   * Returns the record once everything was copied: readers may open it. An active collection may be
   * read anyway.
   */
  private CollectionRecord opened() {
    Filled known = filled;
    return state == State.ACTIVE || known == null
        ? this
        : new CollectionRecord(
            layout,
            state,
            new Versions(floor, incarnation),
            new Filled(known.copy, true),
            unknownMembers);
  }

  /** Returns the layout, which never changes within an incarnation. */
  public Layout layout() {
    return layout;
  }

  /** Returns the state, which decides who may write. */
  public State state() {
    return state;
  }

  /**
   * Returns the version above which this store's own versions begin, µs; 0 if there was no
   * migration, or it has not ended.
   */
  public long floor() {
    return floor;
  }

  /** Returns the incarnation of the collection, from 1; part of physical table names. */
  public long incarnation() {
    return incarnation;
  }

  /** Returns the copy that the collection holds; null if it was never migrated. */
  public @Nullable Copy copy() {
    return filled == null ? null : filled.copy;
  }

  /** Returns whether readers find everything that was copied. */
  public boolean isReadable() {
    return state == State.ACTIVE || (filled != null && filled.readable);
  }

  /**
   * Returns whether a migration has handed over to this collection. An active collection with floor
   * 0 was never migrated: it says nothing about any migration.
   */
  public boolean isHandedOver() {
    return state == State.ACTIVE && floor > 0;
  }

  /**
   * Returns the name if a collection of a store may have it: that of a service's collection, or of
   * its shard directory.
   *
   * @throws KvException.InvalidArgument if it may not
   */
  public static String requireName(String name) {
    if (!NAME.matcher(name).matches()) {
      throw new KvException.InvalidArgument(
          "collection name '"
              + name
              + "': give a letter a-z, then at most 31 of a-z, 0-9 and either '-' or '_'");
    }
    return name;
  }

  /**
   * Returns the name if a service's collection may have it. Names of shard directories would let
   * two collections share one.
   *
   * @throws KvException.InvalidArgument if it may not
   */
  public static String requireOwnName(String name) {
    if (requireName(name).endsWith(DIRECTORY_SUFFIX)) {
      throw new KvException.InvalidArgument(
          "collection name '"
              + name
              + "': the ending "
              + DIRECTORY_SUFFIX
              + " is reserved for shard directories: give another name");
    }
    return name;
  }

  /** Returns the name of the metadata record. */
  public static String metadataName(String collection) {
    return "collection/" + collection;
  }

  /**
   * Returns the record that the bytes hold.
   *
   * @throws KvException.Permanent if they have another form, such as that of a newer version
   */
  public static CollectionRecord parse(String collection, Bytes bytes) {
    Matcher form = FORM.matcher(bytes.toUtf8());
    if (!form.matches()) {
      throw unknownForm(collection, null);
    }
    long floor = 0;
    long incarnation = 1;
    Copy copy = null;
    boolean readable = false;
    StringBuilder unknown = new StringBuilder();
    try {
      Matcher members = MEMBER.matcher(form.group(2));
      while (members.find()) {
        String value = members.group(2);
        switch (members.group(1)) {
          case "floor" -> floor = number(value);
          case "incarnation" -> incarnation = number(value);
          case "copy" -> copy = Copy.parse(value);
          case "readable" -> readable = number(value) == 1;
          default -> unknown.append(members.group());
        }
      }
      return new CollectionRecord(
          Layout.parse(form.group(3)),
          form.group(1).equals("active") ? State.ACTIVE : State.IMPORTING,
          new Versions(floor, incarnation),
          copy == null ? null : new Filled(copy, readable),
          unknown.toString());
    } catch (IllegalArgumentException | KvException.InvalidArgument e) {
      throw unknownForm(collection, e);
    }
  }

  private static long number(String digits) {
    long number = Long.parseLong(digits);
    if (number < 0) {
      throw new NumberFormatException(digits + " is negative");
    }
    return number;
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
            + (filled == null ? "" : " copy=" + filled.copy)
            + (filled != null && filled.readable ? " readable=1" : "")
            + unknownMembers
            + " "
            + layout);
  }

  /** Reads a collection's record; null if there is none. */
  public static CompletionStage<@Nullable CollectionRecord> read(Metadata metadata, String name) {
    return metadata
        .get(metadataName(name))
        .thenApply(bytes -> bytes == null ? null : parse(name, bytes));
  }

  /**
   * Checks a collection's record and creates it if there is none, as every driver with metadata
   * does on open. Safe when many processes do it at once.
   *
   * <p>A claim of {@code ACTIVE} makes {@link #live}, one of {@code IMPORTING} makes {@link
   * #importing}; each fails with {@code Permanent} if the other holds, or another copy. {@code
   * NONE} and {@code READ} create nothing and fail with {@code Permanent} if there is no record;
   * {@code READ} fails with {@code Transient} until the migration has called {@link
   * #openToReaders}. An unknown outcome is resolved by reading the record again, and by claiming
   * again if there still is none, a few times at most.
   */
  public static CompletionStage<CollectionRecord> claim(
      Metadata metadata, String name, Layout layout, Claim claim) {
    requireName(name);
    return read(metadata.committed(), name)
        .thenCompose(
            found ->
                found != null && found.fits(name, layout, claim)
                    ? CompletableFuture.completedFuture(found)
                    : claim(metadata, name, layout, claim, CLAIM_TRIES));
  }

  /**
   * Returns whether a claim needs no look at the record in order, which a fleet that starts would
   * wait for.
   */
  private boolean fits(String name, Layout layout, Claim claim) {
    try {
      check(name, layout, claim);
      return true;
    } catch (KvException e) {
      return false;
    }
  }

  private static CompletionStage<CollectionRecord> claim(
      Metadata metadata, String name, Layout layout, Claim claim, int tries) {
    return read(metadata, name)
        .thenCompose(
            found -> {
              if (found != null) {
                return CompletableFuture.completedFuture(found.check(name, layout, claim));
              }
              Copy copy = claim.copy();
              if (!claim.mayCreate()) {
                return CompletableFuture.failedFuture(
                    new KvException.Permanent(
                        "collection "
                            + name
                            + " does not exist on the new store: prepare its migration first"));
              }
              CollectionRecord made = copy == null ? live(layout) : importing(layout, copy);
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

  /**
   * Claims again after a while. Concurrent claims can leave each other's outcome unknown: reading
   * the record again shows which one won.
   */
  private static CompletionStage<Boolean> afterUnknown(Throwable error, int tries) {
    return Futures.unwrap(error) instanceof KvException.UnknownOutcome && tries > 1
        ? Futures.after(CLAIM_AGAIN_AFTER).thenApply(waited -> false)
        : CompletableFuture.failedFuture(Futures.unwrap(error));
  }

  /**
   * Ends the import of a copy: services may write, above the floor. Succeeds if that was done
   * already with the same floor; {@code Permanent} if the record holds another copy or floor.
   */
  public static CompletionStage<CollectionRecord> activate(
      Metadata metadata, String name, Copy copy, long floor) {
    return rewrite(
        metadata,
        name,
        found -> {
          CollectionRecord ours = requireCopy(name, found, copy, "activated");
          if (ours.state == State.ACTIVE && ours.floor != floor) {
            throw new KvException.Permanent(
                "collection "
                    + name
                    + " is active already, with floor "
                    + ours.floor
                    + " and not "
                    + floor
                    + ": another cutover has ended this import");
          }
          return ours.activated(floor);
        });
  }

  /**
   * Opens a collection that is being imported to readers, once everything was copied and the
   * changes made meanwhile are applied. Does nothing if that was done already, or if the collection
   * is active; {@code Permanent} if the record holds another copy.
   */
  public static CompletionStage<CollectionRecord> openToReaders(
      Metadata metadata, String name, Copy copy) {
    return rewrite(
        metadata, name, found -> requireCopy(name, found, copy, "opened to readers").opened());
  }

  /**
   * Begins the next incarnation, empty, which a new copy fills under a layout; the old one is to be
   * dropped with {@link Store#drop}. Succeeds if that was done already; {@code Permanent} if the
   * record holds another copy, or the collection has been activated.
   */
  public static CompletionStage<CollectionRecord> restart(
      Metadata metadata, String name, Layout layout, Copy copy, Copy next) {
    return rewrite(
        metadata,
        name,
        found -> {
          if (found != null && next.equals(found.copy())) {
            return found;
          }
          CollectionRecord ours = requireCopy(name, found, copy, "begun again");
          if (ours.state == State.ACTIVE) {
            throw new KvException.Permanent(
                "collection "
                    + name
                    + " is active and cannot be begun again: services may have written to it");
          }
          return importing(layout, next).withIncarnation(ours.incarnation + 1);
        });
  }

  private static CollectionRecord requireCopy(
      String name, @Nullable CollectionRecord found, Copy copy, String purpose) {
    if (found == null || !copy.equals(found.copy())) {
      throw new KvException.Permanent(
          "collection "
              + name
              + " cannot be "
              + purpose
              + ": the store holds "
              + (found == null ? "no such collection" : found.describeCopy())
              + ", the migration fills copy "
              + copy
              + "; check the target's connection string");
    }
    return found;
  }

  private static CompletionStage<CollectionRecord> rewrite(
      Metadata metadata, String name, UnaryOperator<@Nullable CollectionRecord> change) {
    return read(metadata, name)
        .thenCompose(
            found -> {
              CollectionRecord next = Objects.requireNonNull(change.apply(found));
              if (found == null || next.equals(found)) {
                return CompletableFuture.completedFuture(next);
              }
              found.requireRewritable(name);
              return metadata
                  .compareAndSet(metadataName(name), found.print(), next.print())
                  .thenCompose(
                      applied ->
                          applied
                              ? CompletableFuture.completedFuture(next)
                              : rewrite(metadata, name, change));
            });
  }

  private void requireRewritable(String name) {
    if (!unknownMembers.isEmpty()) {
      throw new KvException.Permanent(
          "the record of collection "
              + name
              + " has members of a newer kvshift,"
              + unknownMembers
              + ", which this version would lose: use the newer one");
    }
  }

  private String describeCopy() {
    return filled == null ? "a collection that was never migrated" : "copy " + filled.copy;
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
              + ": open it with its own; it changes by a migration into another store");
    }
    if (claim.kind() == Claim.Kind.ACTIVE && state == State.IMPORTING) {
      throw new KvException.Permanent(
          "collection "
              + name
              + " is being imported by a migration: use transition:// until it is active");
    }
    if (claim.kind() == Claim.Kind.READ && !isReadable() && !name.endsWith(DIRECTORY_SUFFIX)) {
      throw new KvException.Transient(
          "collection "
              + name
              + " is still being copied and cannot be read yet: use transition:// or the old store"
              + " until its migration has caught up");
    }
    Copy wantedCopy = claim.copy();
    if (wantedCopy != null && state == State.ACTIVE) {
      throw new KvException.Permanent(
          "collection "
              + name
              + " is active on the target already: a migration must not import into it");
    }
    if (wantedCopy != null && !wantedCopy.equals(copy())) {
      throw new KvException.Permanent(
          "collection "
              + name
              + " is being imported as "
              + describeCopy()
              + ", not as copy "
              + wantedCopy
              + ": resume that migration, or reset it");
    }
    return this;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof CollectionRecord that && print().equals(that.print());
  }

  @Override
  public int hashCode() {
    return print().hashCode();
  }

  /** Returns the text that is kept. */
  @Override
  public String toString() {
    return print().toUtf8();
  }
}
