package dev.kvshift.migrate.internal.ledger;

import dev.kvshift.api.Bytes;
import dev.kvshift.migrate.api.MigrationException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The quarantine in the ledger, and the keys that have left it as {@linkplain AcceptedLoss accepted
 * losses}. A key that does not fit into its record is kept in parts beside it, so that the key can
 * be read again, and released once both sides agree on it. Parts are never removed: another runner
 * may just be adding the key again. Safe for use by many threads and processes.
 */
public final class QuarantinedKeys {
  /** Maximum number of accepted losses: the certificate names each of them. */
  static final int MAX_ACCEPTED = 256;

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
   * An accepted loss.
   *
   * @param name its name within the group of records, the digest of the key
   * @param record its record
   * @param topicKey the key as the topic encodes it
   */
  public record Accepted(String name, AcceptedLoss record, Bytes topicKey) {}

  /** Returns the digest that names a key: the SHA-256, in hexadecimal digits. */
  public static String digest(Bytes topicKey) {
    return QuarantinedKey.name(topicKey);
  }

  /**
   * Adds a rejected row. A record of a newer row stays. A row whose loss was accepted is not added
   * again; a newer one is, and ends that acceptance.
   *
   * @return whether the key was not quarantined before
   */
  public boolean add(Bytes topicKey, long version, String reason, long deadLetterOffset) {
    QuarantinedKey rejected = QuarantinedKey.of(topicKey, version, reason, deadLetterOffset);
    LedgerKey<QuarantinedKey> key = QuarantinedKey.key(topicKey);
    String name = QuarantinedKey.name(topicKey);
    LedgerKey<AcceptedLoss> loss = AcceptedLoss.key(topicKey);
    AcceptedLoss accepted = ledger.get(loss);
    if (accepted != null && accepted.lost().version() >= version) {
      return false;
    }
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
    if (accepted != null) {
      ledger.remove(loss, accepted);
    }
    return isNew.get() == 1;
  }

  /** Passes on every key, in the order of names. */
  public void forEach(Consumer<Entry> each) {
    ledger.forEach(
        QuarantinedKey.ALL, (name, key) -> each.accept(new Entry(name, key, topicKey(name, key))));
  }

  /** Returns a key by its digest; null if it is not quarantined. */
  public @Nullable Entry find(String digest) {
    QuarantinedKey found = ledger.get(QuarantinedKey.ALL.in(digest));
    return found == null ? null : new Entry(digest, found, topicKey(digest, found));
  }

  /** Removes a key, unless its record has changed since; returns whether it was removed. */
  public boolean remove(Entry judged) {
    return ledger.remove(QuarantinedKey.ALL.in(judged.name), judged.record);
  }

  /**
   * Moves a key from the quarantine to the accepted losses. The acceptance is durable first: a
   * crash in between leaves the key quarantined, too.
   *
   * @param judged the key, whose bytes are known
   * @param targetVersion version of the target's row; empty if it has none
   * @param at the present time
   * @throws MigrationException.CutoverRefused if there are too many, or if the key was rejected
   *     again meanwhile
   */
  public void accept(Entry judged, OptionalLong targetVersion, Instant at) {
    if (accepted().size() >= MAX_ACCEPTED) {
      throw new MigrationException.CutoverRefused(
          MAX_ACCEPTED
              + " lost keys are accepted already, and that is the limit: write smaller values or"
              + " delete the keys at the source");
    }
    AcceptedLoss loss =
        new AcceptedLoss(judged.record, targetVersion, Machine.user(), Machine.name(), at);
    ledger.put(AcceptedLoss.ALL.in(judged.name), loss);
    ledger.append(Event.dropped(judged.name, loss));
    if (!remove(judged)) {
      throw new MigrationException.CutoverRefused(
          "key " + judged.name + " was rejected again meanwhile: look at it, and drop it again");
    }
  }

  /** Returns the accepted losses, in the order of their names. */
  public List<Accepted> accepted() {
    List<Accepted> found = new ArrayList<>();
    ledger.forEach(
        AcceptedLoss.ALL,
        (name, loss) -> {
          Bytes key = topicKey(name, loss.lost());
          if (key != null) {
            found.add(new Accepted(name, loss, key));
          }
        });
    return found;
  }

  /** Removes an accepted loss that is none any more, unless its record has changed since. */
  public void settled(Accepted judged) {
    ledger.remove(AcceptedLoss.ALL.in(judged.name), judged.record);
  }

  /** Removes all keys and their parts, once no process can add one any more. */
  public void removeAll() {
    ledger.removeAll(QuarantinedKey.ALL);
    ledger.removeAll(AcceptedLoss.ALL);
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
