package dev.kvshift.memory;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException.InvalidArgument;
import java.util.Collections;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The small records of one in-memory server. Safe for use by many threads. */
final class MetadataRecords {
  private static final Pattern NAME = Pattern.compile("[a-z0-9\\-_.:]+(/[a-z0-9\\-_.:/]*)?");
  private static final Pattern PREFIX = Pattern.compile("[a-z0-9\\-_.:]+/[a-z0-9\\-_.:/]*");
  private static final int MAX_NAME_CHARS = 256;
  private static final int MAX_LISTED = 1_000;

  private final TreeMap<String, Bytes> records = new TreeMap<>();

  synchronized @Nullable Bytes find(String name) {
    return records.get(requireName(name));
  }

  synchronized SortedMap<String, Bytes> list(String prefix, String after, int limit) {
    if (!PREFIX.matcher(prefix).matches()) {
      throw new InvalidArgument(
          "metadata prefix '" + prefix + "': begin with the whole group and its slash");
    }
    if (limit < 1 || limit > MAX_LISTED) {
      throw new InvalidArgument(
          "listing of " + limit + " metadata records: give 1 to " + MAX_LISTED);
    }
    TreeMap<String, Bytes> found = new TreeMap<>();
    boolean past = after.compareTo(prefix) >= 0;
    for (var record : records.tailMap(past ? after : prefix, !past).entrySet()) {
      if (!record.getKey().startsWith(prefix) || found.size() == limit) {
        break;
      }
      found.put(record.getKey(), record.getValue());
    }
    return Collections.unmodifiableSortedMap(found);
  }

  synchronized boolean compareAndSet(
      String name, @Nullable Bytes expected, @Nullable Bytes next, int maxBytes) {
    requireName(name);
    if (next != null && next.size() > maxBytes) {
      throw new InvalidArgument(
          "metadata record "
              + name
              + " of "
              + next.size()
              + " bytes, the limit is "
              + maxBytes
              + ": split it");
    }
    if (!Objects.equals(records.get(name), expected)) {
      return false;
    }
    if (next == null) {
      records.remove(name);
    } else {
      records.put(name, next);
    }
    return true;
  }

  private static String requireName(String name) {
    if (name.length() > MAX_NAME_CHARS || !NAME.matcher(name).matches()) {
      throw new InvalidArgument(
          "metadata name '"
              + name
              + "': give GROUP/NAME of 1 to "
              + MAX_NAME_CHARS
              + " characters a-z 0-9 - _ . : /");
    }
    return name;
  }
}
