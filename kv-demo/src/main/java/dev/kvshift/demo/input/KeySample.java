package dev.kvshift.demo.input;

import dev.kvshift.api.Bytes;
import dev.kvshift.demo.catalog.CatalogKey;
import dev.kvshift.demo.catalog.CatalogKey.PackageFileKey;
import dev.kvshift.demo.catalog.ClassFile;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A bounded sample of the loaded keys, for the live writer to change, and one package with no key
 * in the sample, whose entries therefore stay as they were loaded.
 */
public final class KeySample {
  private static final int ONE_OF = 64;
  private static final int MAX_KEYS = 400;
  private static final int MIN_UNTOUCHED_FILES = 20;
  private static final String PREFERRED_PACKAGE = "java.util";

  private final Set<CatalogKey> keys = new LinkedHashSet<>();
  private @Nullable String untouched;
  private String lastPackage = "";
  private int inARow;

  KeySample() {}

  /** Considers a loaded class file. */
  void offer(ClassFile file) {
    chooseUntouched(file.packageName());
    if (mayContain(file.hash())
        && keys.size() < MAX_KEYS
        && !file.packageName().equals(untouched)) {
      keys.add(file.fileKey());
      keys.add(file.packageFileKey());
    }
  }

  /** Chooses the first package with enough files in a row, and later the preferred one. */
  private void chooseUntouched(String packageName) {
    inARow = packageName.equals(lastPackage) ? inARow + 1 : 1;
    lastPackage = packageName;
    boolean large = inARow >= MIN_UNTOUCHED_FILES;
    boolean preferred = packageName.equals(PREFERRED_PACKAGE) && inARow == MIN_UNTOUCHED_FILES;
    if ((untouched == null && large) || preferred) {
      untouched = packageName;
      keys.removeIf(
          key ->
              key instanceof PackageFileKey inPackage
                  && inPackage.packageName().equals(packageName));
    }
  }

  /** Returns the sampled keys. */
  List<CatalogKey> keys() {
    return new ArrayList<>(keys);
  }

  /** Returns a package that the sample leaves alone, or empty if none was large enough. */
  Optional<String> untouchedPackage() {
    return Optional.ofNullable(untouched);
  }

  /** Returns whether the sample may contain the class file of this hash. */
  public static boolean mayContain(Bytes hash) {
    return hash.at(0) % ONE_OF == 0;
  }
}
