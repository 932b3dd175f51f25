package dev.kvshift.spi;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The use that the caller intends for a collection, on a store with metadata. Immutable. */
public final class Claim {
  /** The kind of a claim. */
  public enum Kind {
    /** Use the collection as it is, whoever may write: for a transition store's new side. */
    NONE,
    /** Only read the collection, as soon as a migration has filled it. */
    READ,
    /** Read and write: the first such claim of a new collection makes it active. */
    ACTIVE,
    /** Fill the collection as a migration; services are refused until it is activated. */
    IMPORTING
  }

  /** Checks the layout only; fails if there is no such collection. */
  public static final Claim NONE = new Claim(Kind.NONE, null);

  /**
   * Only reads the collection; every write is refused. Opening fails if there is no such
   * collection, or if the migration that fills it has not copied everything yet.
   */
  public static final Claim READ = new Claim(Kind.READ, null);

  /** Uses a live collection, and creates it if there is none. */
  public static final Claim ACTIVE = new Claim(Kind.ACTIVE, null);

  private final Kind kind;
  private final @Nullable Copy copy;

  private Claim(Kind kind, @Nullable Copy copy) {
    this.kind = kind;
    this.copy = copy;
  }

  /**
   * Fills a collection, and creates it if there is none. Refused if the collection is active, or if
   * another migration fills it.
   */
  public static Claim importing(Copy copy) {
    return new Claim(Kind.IMPORTING, Objects.requireNonNull(copy, "copy"));
  }

  /** Returns the kind of the claim. */
  public Kind kind() {
    return kind;
  }

  /** Returns whether a collection that does not exist is created. */
  public boolean mayCreate() {
    return kind == Kind.ACTIVE || kind == Kind.IMPORTING;
  }

  /** Returns the copy that an importing claim fills; null for every other claim. */
  public @Nullable Copy copy() {
    return copy;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Claim that && kind == that.kind && Objects.equals(copy, that.copy);
  }

  @Override
  public int hashCode() {
    return Objects.hash(kind, copy);
  }

  @Override
  public String toString() {
    return copy == null ? kind.name() : kind + " " + copy;
  }
}
