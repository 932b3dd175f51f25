package dev.kvshift.migrate.internal.verify;

import dev.kvshift.spi.StoreKey;
import java.util.function.Consumer;

/**
 * The keys that have changed since a comparison began, and that the tail check therefore checks.
 */
public interface ChangedKeys {
  /** Leaves no key to the tail check. */
  ChangedKeys NONE = each -> {};

  /**
   * Passes every key that has changed since the comparison began to a consumer, up to now; possibly
   * several times.
   */
  void forEach(Consumer<StoreKey> each);
}
