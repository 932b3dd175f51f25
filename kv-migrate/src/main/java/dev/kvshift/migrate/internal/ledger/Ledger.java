package dev.kvshift.migrate.internal.ledger;

import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.spi.Metadata;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * What a migration keeps on the target: JSON records {@code migration/COLLECTION/…} with a format
 * number. A newer format is refused. Safe for use by many threads and processes.
 */
public final class Ledger {
  public static final String CONFIG = "config";
  public static final String STREAM = "stream";
  public static final String VERIFY = "verify";
  public static final String CUTOVER = "cutover";
  public static final String CERTIFICATE = "certificate";
  public static final String COPY = "copy";
  public static final String COPY_TASKS = "copy-tasks/";
  public static final String QUARANTINE = "quarantine/";
  public static final String EVENT = "event/";

  private static final int FORMAT = 1;
  private static final int LIST_PAGE = 500;

  private final Metadata metadata;
  private final String prefix;
  private final Duration patience;
  private final Clock clock;

  public Ledger(Metadata metadata, String collection, Duration patience, Clock clock) {
    this.metadata = metadata;
    this.prefix = "migration/" + collection + "/";
    this.patience = patience;
    this.clock = clock;
  }

  public @Nullable JsonObject get(String name) {
    Bytes bytes = Await.patiently(patience, () -> metadata.get(prefix + name));
    return bytes == null ? null : parse(name, bytes);
  }

  public JsonObject require(String name) {
    JsonObject found = get(name);
    if (found == null) {
      throw new KvException.Permanent(
          "the target has no record " + prefix + name + ": prepare the migration first");
    }
    return found;
  }

  /** Writes a record whatever it is now. */
  public void put(String name, JsonObject record) {
    update(name, found -> record);
  }

  /** Writes a record in place of one that is known, with one request where it is still that. */
  public void replace(String name, JsonObject known, JsonObject record) {
    if (!compareAndSet(name, print(known), print(record))) {
      put(name, record);
    }
  }

  /** Writes a record where there is none, and returns the one that is there then. */
  public JsonObject putIfAbsent(String name, JsonObject record) {
    return update(name, found -> found == null ? record : found);
  }

  /** Replaces a record by what is made of it, atomically; the function may be called again. */
  public JsonObject update(String name, UnaryOperator<@Nullable JsonObject> change) {
    while (true) {
      Bytes before = Await.patiently(patience, () -> metadata.get(prefix + name));
      JsonObject next = change.apply(before == null ? null : parse(name, before));
      if (next == null) {
        throw new IllegalStateException("no record to write");
      }
      Bytes after = print(next);
      if (after.equals(before) || compareAndSet(name, before, after)) {
        return next;
      }
    }
  }

  /** Removes a record where it is still the one that was read. */
  public void remove(String name) {
    Bytes before = Await.patiently(patience, () -> metadata.get(prefix + name));
    if (before != null) {
      compareAndSet(name, before, null);
    }
  }

  /** Lists the records whose names begin so, by the rest of their names. */
  public SortedMap<String, JsonObject> list(String group, int atMost) {
    TreeMap<String, JsonObject> found = new TreeMap<>();
    String after = "";
    while (found.size() < atMost) {
      String from = after;
      SortedMap<String, Bytes> page =
          Await.patiently(patience, () -> metadata.list(prefix + group, from, LIST_PAGE));
      for (Map.Entry<String, Bytes> record : page.entrySet()) {
        if (found.size() < atMost) {
          String rest = record.getKey().substring(prefix.length() + group.length());
          found.put(rest, parse(record.getKey(), record.getValue()));
        }
      }
      if (page.size() < LIST_PAGE) {
        break;
      }
      after = page.lastKey();
    }
    return found;
  }

  /** Appends to the event log. */
  public void event(String what, JsonObject details) {
    details.addProperty("what", what);
    details.addProperty("who", System.getProperty("user.name", "unknown"));
    while (true) {
      Instant now = clock.instant();
      details.addProperty("at", now.toString());
      String name =
          EVENT + String.format(Locale.ROOT, "%013d-%09d", now.getEpochSecond(), now.getNano());
      if (compareAndSet(name, null, print(details))) {
        return;
      }
    }
  }

  private boolean compareAndSet(String name, @Nullable Bytes before, @Nullable Bytes after) {
    try {
      return Await.of(metadata.compareAndSet(prefix + name, before, after));
    } catch (KvException.UnknownOutcome e) {
      return after != null
          && after.equals(Await.patiently(patience, () -> metadata.get(prefix + name)));
    } catch (KvException.Transient e) {
      Await.pause(Await.pauseMillis(3));
      return Await.of(metadata.compareAndSet(prefix + name, before, after));
    }
  }

  private static Bytes print(JsonObject record) {
    JsonObject copy = new JsonObject();
    copy.addProperty("format", FORMAT);
    record.entrySet().forEach(member -> copy.add(member.getKey(), member.getValue()));
    return Bytes.utf8(copy.toString());
  }

  private JsonObject parse(String name, Bytes bytes) {
    try {
      JsonObject record = JsonParser.parseString(bytes.toUtf8()).getAsJsonObject();
      if (record.remove("format").getAsInt() == FORMAT) {
        return record;
      }
    } catch (JsonParseException | IllegalStateException | NullPointerException e) {
      throw new KvException.Permanent("the record " + prefix + name + " cannot be read", e);
    }
    throw new KvException.Permanent(
        "the record " + prefix + name + " has a newer format: use a newer kvshift");
  }
}
