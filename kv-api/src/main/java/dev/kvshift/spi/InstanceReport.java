package dev.kvshift.spi;

import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The report of one process to the leader whose collections it uses: how far it can follow a
 * migration, and the state of each collection's new members. One report is one lease, for all of
 * the process's collections. Immutable; new members come with new {@code with} methods.
 *
 * <p>The leader refuses to take a step, to raise a fence and to hand over while a live instance is
 * not ready for it: {@link #obstacle} decides.
 */
public final class InstanceReport {
  /** Maximum number of collections in a report. */
  public static final int MAX_USES = 1_000;

  /** Maximum length of a service's name, a library's version and a problem, in characters. */
  public static final int MAX_TEXT_CHARS = 512;

  private final String instance;
  private final String service;
  private final String library;
  private final Phase newestPhase;
  private final Map<String, Use> uses;

  private InstanceReport(
      String instance, String service, String library, Phase newestPhase, Map<String, Use> uses) {
    this.instance = instance;
    this.service = service;
    this.library = library;
    this.newestPhase = newestPhase;
    this.uses = uses;
  }

  /**
   * Returns the report of a process that uses no collection yet and understands no phase but
   * legacy.
   *
   * @param instance unique to the process, 1 to 256 characters
   * @param service the service's name, for people
   */
  public static InstanceReport of(String instance, String service) {
    GateRecord.requireName("instance", instance);
    return new InstanceReport(instance, clipped(service), "", Phase.LEGACY, Map.of());
  }

  /** Returns the same report with the version of the process's library. */
  public InstanceReport withLibrary(String newLibrary) {
    return new InstanceReport(instance, service, clipped(newLibrary), newestPhase, uses);
  }

  /** Returns the same report with the newest phase that the process understands. */
  public InstanceReport withNewestPhase(Phase newNewestPhase) {
    return new InstanceReport(
        instance, service, library, Objects.requireNonNull(newNewestPhase), uses);
  }

  /**
   * Returns the same report with the use of a collection.
   *
   * @param collection its name, or {@code locks:NAME} for a space of locks
   * @throws KvException.Permanent if there are more than {@link #MAX_USES}
   */
  public InstanceReport withUse(String collection, Use use) {
    Map<String, Use> all = new TreeMap<>(uses);
    all.put(collection, use);
    if (all.size() > MAX_USES) {
      throw new KvException.Permanent(
          "an instance reports more than " + MAX_USES + " collections: open fewer in one process");
    }
    return new InstanceReport(
        instance, service, library, newestPhase, Collections.unmodifiableMap(all));
  }

  /** Returns the process's name, unique to it. */
  public String instance() {
    return instance;
  }

  /** Returns the service's name. */
  public String service() {
    return service;
  }

  /** Returns the version of the process's library; empty if unknown. */
  public String library() {
    return library;
  }

  /** Returns the newest phase that the process understands. */
  public Phase newestPhase() {
    return newestPhase;
  }

  /** Returns the uses by the names of their collections, in the order of names. */
  public Map<String, Use> uses() {
    return uses;
  }

  /**
   * Returns why the process cannot follow a collection into a phase, or null if it can.
   *
   * @param collection one of its collections
   * @param phase the phase to come
   * @param copy the copy that the gate names; null if no migration was prepared, and then nothing
   *     is asked of the new side
   */
  public @Nullable String obstacle(String collection, Phase phase, @Nullable Copy copy) {
    if (newestPhase.compareTo(phase) < 0) {
      return "its library"
          + (library.isEmpty() ? "" : " " + library)
          + " knows no phase above "
          + newestPhase
          + ": upgrade it";
    }
    Use use = uses.get(collection);
    if (use == null || copy == null || phase == Phase.LEGACY) {
      return null;
    }
    if (use.problem() != null) {
      return use.problem();
    }
    if (use.copy() == null) {
      return "it has not opened its new side yet";
    }
    if (!use.copy().equals(copy)) {
      return "its new side holds copy " + use.copy() + ", not " + copy + ": check its new= string";
    }
    if (use.skew() == null) {
      return "it has not measured its clock against the new side's yet";
    }
    if (use.skew().compareTo(VersionClock.SKEW_LIMIT) > 0) {
      return "its clock is "
          + use.skew().toMillis()
          + " ms away from its new side's, at most "
          + VersionClock.SKEW_LIMIT.toMillis()
          + " are allowed: set it right";
    }
    Duration uncertainty = use.uncertainty();
    if (uncertainty != null && uncertainty.compareTo(VersionClock.SKEW_LIMIT) > 0) {
      return "it knows its new side's time to within "
          + uncertainty.toMillis()
          + " ms only, at most "
          + VersionClock.SKEW_LIMIT.toMillis()
          + " are allowed: synchronize the clocks of the new side's servers";
    }
    return null;
  }

  /**
   * Returns why the process cannot follow a move that keeps a way back, or null if it can.
   *
   * @param collection one of its collections
   */
  public @Nullable String obstacleToWayBack(String collection) {
    Use use = uses.get(collection);
    return use == null || use.hasClockOrder()
        ? null
        : "it cannot keep a way back: its new side does not show deletes (add deletes=kept to a"
            + " scylla:// string), or its library is too old";
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof InstanceReport that
        && instance.equals(that.instance)
        && service.equals(that.service)
        && library.equals(that.library)
        && newestPhase == that.newestPhase
        && uses.equals(that.uses);
  }

  @Override
  public int hashCode() {
    return Objects.hash(instance, service, library, newestPhase, uses);
  }

  @Override
  public String toString() {
    return service + " " + instance + (library.isEmpty() ? "" : " (" + library + ")") + " " + uses;
  }

  private static String clipped(String text) {
    return text.length() <= MAX_TEXT_CHARS ? text : text.substring(0, MAX_TEXT_CHARS);
  }

  /** The part of a report about one collection that the process has open. Immutable. */
  public static final class Use {
    private final Members members;

    private Use(Members members) {
      this.members = members;
    }

    /** The members by name, copied on each change. */
    private static final class Members implements Cloneable {
      private long acknowledged;
      private @Nullable Layout layout;
      private @Nullable Copy copy;
      private @Nullable String problem;
      private @Nullable Duration skew;
      private @Nullable Duration uncertainty;
      private SideCounts counts = SideCounts.NONE;
      private long heldLocks;
      private boolean clockOrder;

      @Override
      protected Members clone() {
        try {
          return (Members) super.clone();
        } catch (CloneNotSupportedException e) {
          throw new AssertionError(e);
        }
      }

      private List<@Nullable Object> all() {
        return Arrays.asList(
            acknowledged, layout, copy, problem, skew, uncertainty, counts, heldLocks, clockOrder);
      }
    }

    /**
     * Returns the use of a collection whose new side has not been seen.
     *
     * @param epoch the newest epoch of which no older operation runs any more
     */
    public static Use acknowledging(long epoch) {
      return new Use(new Members()).with(next -> next.acknowledged = epoch);
    }

    private Use with(Consumer<Members> change) {
      Members next = members.clone();
      change.accept(next);
      return new Use(next);
    }

    /** Returns the same use with the layout that the process opened the collection with. */
    public Use withLayout(@Nullable Layout layout) {
      return with(next -> next.layout = layout);
    }

    /** Returns the same use with the copy that the process sees on its new side. */
    public Use withCopy(@Nullable Copy copy) {
      return with(next -> next.copy = copy);
    }

    /** Returns the same use with the reason why the new side cannot be used; null for none. */
    public Use withProblem(@Nullable String problem) {
      return with(next -> next.problem = problem == null ? null : clipped(problem));
    }

    /** Returns the same use with the distance between the process's and the new side's clock. */
    public Use withSkew(@Nullable Duration skew) {
      return with(next -> next.skew = skew);
    }

    /** Returns the same use with how far the process may be wrong about the new side's time. */
    public Use withUncertainty(@Nullable Duration uncertainty) {
      return with(next -> next.uncertainty = uncertainty);
    }

    /** Returns the same use with what the process has counted of the new side so far. */
    public Use withCounts(SideCounts counts) {
      return with(next -> next.counts = Objects.requireNonNull(counts));
    }

    /** Returns the same use, of a lock space, with the number of locks that the process holds. */
    public Use withHeldLocks(long heldLocks) {
      return with(next -> next.heldLocks = heldLocks);
    }

    /**
     * Returns the same use by a process that can, or cannot, order writes by clocks after the move:
     * its library can, and its new side shows deletes.
     */
    public Use withClockOrder(boolean clockOrder) {
      return with(next -> next.clockOrder = clockOrder);
    }

    /** Returns the newest epoch of which no older operation runs any more. */
    public long acknowledged() {
      return members.acknowledged;
    }

    /** Returns the layout that the process opened the collection with; null if unknown. */
    public @Nullable Layout layout() {
      return members.layout;
    }

    /** Returns the copy that the process sees on its new side; null if it has seen none. */
    public @Nullable Copy copy() {
      return members.copy;
    }

    /** Returns why the new side cannot be used; null if nothing is known against it. */
    public @Nullable String problem() {
      return members.problem;
    }

    /** Returns the distance between the clocks, never negative; null if it was not measured. */
    public @Nullable Duration skew() {
      return members.skew;
    }

    /**
     * Returns how far the process may be wrong about the new side's time, never negative; null if
     * it was not measured, or by an older library.
     */
    public @Nullable Duration uncertainty() {
      return members.uncertainty;
    }

    /** Returns what the process has counted of the new side since it opened the collection. */
    public SideCounts counts() {
      return members.counts;
    }

    /** Returns how many locks of the space the process holds, by its own clock. */
    public long heldLocks() {
      return members.heldLocks;
    }

    /** Returns whether the process can order writes by clocks after the move. */
    public boolean hasClockOrder() {
      return members.clockOrder;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Use that && members.all().equals(that.members.all());
    }

    @Override
    public int hashCode() {
      return members.all().hashCode();
    }

    @Override
    public String toString() {
      return "epoch "
          + members.acknowledged
          + (members.copy == null ? "" : ", copy " + members.copy)
          + (members.problem == null ? "" : ", " + members.problem);
    }
  }
}
