package dev.kvshift.spi;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * The settings of a collection that a store had changed for an import, and what has become of them
 * at its end. Immutable.
 */
public final class ImportSettings {
  /** Nothing was changed for an import, or it is restored already. */
  public static final ImportSettings NONE = new ImportSettings(List.of(), List.of());

  private final List<String> restored;
  private final List<String> left;

  private ImportSettings(List<String> restored, List<String> left) {
    this.restored = List.copyOf(restored);
    this.left = List.copyOf(left);
  }

  /** Returns settings that were restored by a statement. */
  public static ImportSettings restored(String statement) {
    return new ImportSettings(List.of(statement), List.of());
  }

  /** Returns settings that the store may not restore, which takes this statement. */
  public static ImportSettings left(String statement) {
    return new ImportSettings(List.of(), List.of(statement));
  }

  /** Returns these settings and others. */
  public ImportSettings and(ImportSettings others) {
    List<String> allRestored = new ArrayList<>(restored);
    allRestored.addAll(others.restored);
    List<String> allLeft = new ArrayList<>(left);
    allLeft.addAll(others.left);
    return new ImportSettings(allRestored, allLeft);
  }

  /** Returns the statements that have restored settings, or would. */
  public List<String> restored() {
    return restored;
  }

  /** Returns the statements that a person has to run, because the store may not. */
  public List<String> left() {
    return left;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ImportSettings that
        && restored.equals(that.restored)
        && left.equals(that.left);
  }

  @Override
  public int hashCode() {
    return Objects.hash(restored, left);
  }

  @Override
  public String toString() {
    return "restored " + restored + ", left " + left;
  }
}
