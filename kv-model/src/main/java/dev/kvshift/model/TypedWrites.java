package dev.kvshift.model;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.WriteOptions;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What point and range collections do alike with values and options. Immutable. */
record TypedWrites<V>(String collection, ValueFormat<V> format, @Nullable Duration timeToLive) {

  static Duration requireTimeToLive(Duration timeToLive) {
    return Objects.requireNonNull(WriteOptions.ttl(timeToLive).ttl());
  }

  /** Returns the options with the model's time to live where they have none. */
  WriteOptions withDefaults(WriteOptions options) {
    return timeToLive == null || options.ttl() != null
        ? options
        : new WriteOptions(timeToLive, options.lock());
  }

  Bytes encode(V value) {
    try {
      return format.encode(value);
    } catch (IllegalArgumentException e) {
      throw new KvException.Permanent(
          "collection " + collection + ": a value cannot be written: mend it", e);
    }
  }

  V decode(Key key, Bytes value) {
    try {
      return format.decode(value);
    } catch (IllegalArgumentException e) {
      throw new KvException.Permanent(
          "collection "
              + collection
              + ", main "
              + key.main()
              + ", clustering "
              + key.clustering()
              + ": its value of "
              + value.size()
              + " bytes cannot be read as the model declares: check the model",
          e);
    }
  }
}
