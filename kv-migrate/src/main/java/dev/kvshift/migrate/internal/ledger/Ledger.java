package dev.kvshift.migrate.internal.ledger;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.spi.Metadata;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The durable state of one migration: metadata records of the target named {@code
 * migration/COLLECTION/…}, JSON with a format number. A newer format is refused.
 *
 * <p>Each type of record names its key and its members itself: {@link MigrationConfig}, {@link
 * StreamProgress}, {@link CopyPlan}, {@link CopyTaskGroup}, {@link SnapshotRecord}, {@link
 * VerifyPass}, {@link VerifyRecord}, {@link QuarantinedKey}, {@link CutoverRecord}, {@link
 * Certificate}, {@link ClockCertificate}, {@link Event}.
 *
 * <p>Safe for use by many threads and processes: every change is a compare-and-set. Reads and
 * changes are retried until patience is exhausted.
 */
public final class Ledger {
  private static final String FORMAT = "format";
  private static final int LIST_PAGE = 500;

  private final Metadata metadata;
  private final String prefix;
  private final Duration patience;
  private final Clock clock;

  /** Creates the ledger of a collection; nothing is read or written yet. */
  public Ledger(Metadata metadata, String collection, Duration patience, Clock clock) {
    this.metadata = metadata;
    this.prefix = "migration/" + collection + "/";
    this.patience = patience;
    this.clock = clock;
  }

  /** Returns the ledger of a migration; nothing is read or written yet. */
  public static Ledger of(MigrationPlan plan, Clock clock) {
    return new Ledger(
        plan.target().metadata(), plan.collection(), plan.options().patience(), clock);
  }

  /** Returns a record, or null if there is none. */
  public <T> @Nullable T get(LedgerKey<T> key) {
    Bytes bytes = read(key);
    return bytes == null ? null : parse(key, bytes);
  }

  /**
   * Returns a record.
   *
   * @throws KvException.Permanent if there is none
   */
  public <T> T require(LedgerKey<T> key) {
    return parse(key, requirePresent(key, read(key)));
  }

  /** Writes a record, and replaces any present one. */
  public <T> void put(LedgerKey<T> key, T record) {
    update(key, found -> record);
  }

  /** Writes a record; one request suffices if the present record, or null, is the known one. */
  public <T> void replace(LedgerKey<T> key, @Nullable T known, T record) {
    Bytes before = known == null ? null : print(key, known);
    if (!compareAndSet(key, before, print(key, record))) {
      put(key, record);
    }
  }

  /**
   * Replaces the record that the caller knows. One that another has changed since stays.
   *
   * @return whether it was replaced
   */
  public <T> boolean replaceKnown(LedgerKey<T> key, T known, T record) {
    return compareAndSet(key, print(key, known), print(key, record));
  }

  /** Writes a record if there is none, and returns the one that is there then. */
  public <T> T putIfAbsent(LedgerKey<T> key, T record) {
    return update(key, found -> found == null ? record : found);
  }

  /**
   * Replaces a record, which must exist, atomically.
   *
   * @param change returns the new record; may be called several times
   * @throws KvException.Permanent if there is no record
   */
  public <T> T updatePresent(LedgerKey<T> key, Function<T, T> change) {
    return update(key, found -> change.apply(requirePresent(key, found)));
  }

  /**
   * Replaces a record atomically, if there is one.
   *
   * @param change returns the new record; may be called several times
   * @return the record that is there then, or null if there is none
   */
  public <T> @Nullable T updateIfPresent(LedgerKey<T> key, UnaryOperator<T> change) {
    while (true) {
      Bytes before = read(key);
      if (before == null) {
        return null;
      }
      T next = change.apply(parse(key, before));
      Bytes after = print(key, next);
      if (after.equals(before) || compareAndSet(key, before, after)) {
        return next;
      }
    }
  }

  /**
   * Creates or replaces a record atomically.
   *
   * @param change returns the new record from the present one, or from null if there is none; may
   *     be called several times
   */
  public <T> T update(LedgerKey<T> key, Function<@Nullable T, T> change) {
    while (true) {
      Bytes before = read(key);
      T next = change.apply(before == null ? null : parse(key, before));
      Bytes after = print(key, next);
      if (after.equals(before) || compareAndSet(key, before, after)) {
        return next;
      }
    }
  }

  /**
   * Removes the record that the caller has judged. A record that has changed since stays, because
   * it has not been judged.
   *
   * @return whether it was removed
   */
  public <T> boolean remove(LedgerKey<T> key, T judged) {
    Bytes before = read(key);
    return before != null && parse(key, before).equals(judged) && compareAndSet(key, before, null);
  }

  /** Removes every record of a group, page by page. */
  public void removeAll(LedgerKey<?> group) {
    String groupName = prefix + group.name();
    SortedMap<String, Bytes> page;
    do {
      page = Await.patiently(patience, () -> metadata.list(groupName, "", LIST_PAGE));
      page.keySet().forEach(name -> remove(group.in(name.substring(groupName.length()))));
    } while (!page.isEmpty());
  }

  /** Removes a record, whatever it holds. */
  public void remove(LedgerKey<?> key) {
    Bytes before = read(key);
    while (before != null && !compareAndSet(key, before, null)) {
      before = read(key);
    }
  }

  /**
   * Passes every record of a group to a consumer, with its name within the group, in the order of
   * names. Reads page by page; records that change meanwhile may be passed or not.
   */
  public <T> void forEach(LedgerKey<T> group, BiConsumer<String, T> each) {
    String groupName = prefix + group.name();
    String after = "";
    SortedMap<String, Bytes> page;
    do {
      String from = after;
      page = Await.patiently(patience, () -> metadata.list(groupName, from, LIST_PAGE));
      for (Map.Entry<String, Bytes> record : page.entrySet()) {
        after = record.getKey();
        String member = after.substring(groupName.length());
        each.accept(member, parse(group.in(member), record.getValue()));
      }
    } while (page.size() == LIST_PAGE);
  }

  /** Appends an event, under the user and the machine of this process, and the present time. */
  public void append(Event event) {
    while (true) {
      Instant now = clock.instant();
      Event stamped = event.by(Machine.user(), Machine.name(), now);
      LedgerKey<Event> key = Event.key(now);
      if (compareAndSet(key, null, print(key, stamped))) {
        return;
      }
    }
  }

  private @Nullable Bytes read(LedgerKey<?> key) {
    return Await.patiently(patience, () -> metadata.get(prefix + key.name()));
  }

  /**
   * Retries like a read. A repeated request that finds another record than expected may have been
   * overtaken by its own earlier attempt, whose outcome was unknown: the record shows it.
   */
  private boolean compareAndSet(LedgerKey<?> key, @Nullable Bytes before, @Nullable Bytes after) {
    String name = prefix + key.name();
    AtomicInteger attempts = new AtomicInteger();
    boolean isSet =
        Await.patiently(
            patience,
            () -> {
              attempts.incrementAndGet();
              return metadata.compareAndSet(name, before, after);
            });
    return isSet || (attempts.get() > 1 && Objects.equals(read(key), after));
  }

  private <T> T requirePresent(LedgerKey<?> key, @Nullable T found) {
    if (found == null) {
      throw new KvException.Permanent(
          "the target has no record " + prefix + key.name() + ": prepare the migration first");
    }
    return found;
  }

  private <T> Bytes print(LedgerKey<T> key, T record) {
    return Bytes.utf8(
        new Members().with(FORMAT, key.formatOf(record)).withAll(key.print(record)).toString());
  }

  private <T> T parse(LedgerKey<T> key, Bytes bytes) {
    try {
      Members members = Members.parse(bytes.toUtf8());
      int format = members.count(FORMAT);
      if (format >= LedgerKey.FIRST_FORMAT && format <= key.newestFormat()) {
        return key.parse(members.without(FORMAT));
      }
    } catch (IllegalArgumentException e) {
      throw new KvException.Permanent("the record " + prefix + key.name() + " cannot be read", e);
    }
    throw new KvException.Permanent(
        "the record " + prefix + key.name() + " has a newer format: use a newer kvshift");
  }
}
