package dev.kvshift.migrate.internal.ledger;

import dev.kvshift.api.Bytes;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The quarantine in the ledger. A key that does not fit into its record is kept in parts beside it,
 * so that the key can be read again, and released once both sides agree on it. Parts are never
 * removed: another runner may just be adding the key again. Safe for use by many threads and
 * processes.
 */
public final class QuarantinedKeys {
  private final Ledger ledger;

  /** Uses the ledger of a migration. */
  public QuarantinedKeys(Ledger ledger) {
    this.ledger = ledger;
  }

  /**
   * A quarantined key.
   *
   * @param name its name within the group of records
   * @param record its record
   * @param topicKey the key as the topic encodes it, or null if an older runner has not kept it
   */
  public record Entry(String name, QuarantinedKey record, @Nullable Bytes topicKey) {}

  /**
   * Adds a rejected row. A record of a newer row stays.
   *
   * @return whether the key was not quarantined before
   */
  public boolean add(Bytes topicKey, long version, String reason, long deadLetterOffset) {
    QuarantinedKey rejected = QuarantinedKey.of(topicKey, version, reason, deadLetterOffset);
    LedgerKey<QuarantinedKey> key = QuarantinedKey.key(topicKey);
    String name = QuarantinedKey.name(topicKey);
    for (int part = 0; part < rejected.keyParts(); part++) {
      ledger.put(KeyPart.key(name, part), KeyPart.of(topicKey, part));
    }
    AtomicInteger isNew = new AtomicInteger();
    ledger.update(
        key,
        found -> {
          isNew.set(found == null ? 1 : 0);
          return found != null && found.version() >= rejected.version() ? found : rejected;
        });
    return isNew.get() == 1;
  }

  /** Passes on every key, in the order of names. */
  public void forEach(Consumer<Entry> each) {
    ledger.forEach(
        QuarantinedKey.ALL, (name, key) -> each.accept(new Entry(name, key, topicKey(name, key))));
  }

  /** Removes a key, unless its record has changed since; returns whether it was removed. */
  public boolean remove(Entry judged) {
    return ledger.remove(QuarantinedKey.ALL.in(judged.name), judged.record);
  }

  /** Removes all keys and their parts, once no process can add one any more. */
  public void removeAll() {
    ledger.removeAll(QuarantinedKey.ALL);
    ledger.removeAll(KeyPart.ALL);
  }

  /** Returns the number of keys. */
  public int count() {
    AtomicInteger count = new AtomicInteger();
    ledger.forEach(QuarantinedKey.ALL, (name, key) -> count.incrementAndGet());
    return count.get();
  }

  private @Nullable Bytes topicKey(String name, QuarantinedKey key) {
    if (key.keyParts() == 0) {
      return key.topicKey();
    }
    List<Bytes> parts = new ArrayList<>();
    for (int part = 0; part < key.keyParts(); part++) {
      parts.add(ledger.require(KeyPart.key(name, part)).bytes());
    }
    return KeyPart.join(parts);
  }
}
