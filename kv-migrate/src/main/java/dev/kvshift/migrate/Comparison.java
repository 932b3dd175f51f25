package dev.kvshift.migrate;

import dev.kvshift.api.Layout;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreKey;
import java.util.Objects;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Compares a collection in two stores that nobody writes to, in both directions and bounded memory.
 * Also after the move, when the source answers nobody but its runner. Immutable.
 *
 * @param collection the collection's name
 * @param layout its layout on the target
 * @param source the store that the collection came from
 * @param target the store that it went to
 * @param options limits and times
 */
public record Comparison(
    String collection, Layout layout, Store source, Store target, MigrationOptions options) {
  private static final @Nullable VerifyReport NOT_YET = null;

  public Comparison {
    Objects.requireNonNull(collection, "collection");
    Objects.requireNonNull(layout, "layout");
    Objects.requireNonNull(source, "source");
    Objects.requireNonNull(target, "target");
    Objects.requireNonNull(options, "options");
  }

  /**
   * Compares.
   *
   * @param leaveOut keys that do not count, on either side
   */
  public VerifyReport run(Predicate<StoreKey> leaveOut, Progress progress) {
    return Objects.requireNonNull(NOT_YET);
  }
}
