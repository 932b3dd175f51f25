package dev.kvshift.demo;

import dev.kvshift.api.Bytes;

/**
 * A key of either collection, in the service's own terms.
 *
 * @param collection {@code files} or {@code package-files}
 * @param packageName the main key of package-files; empty in files
 * @param path the first part of the clustering key of package-files; empty in files
 * @param hash the key of files, and the second part of the clustering key of package-files
 */
record LiveKey(String collection, String packageName, String path, Bytes hash) {
  static final String FILES = "files";
  static final String PACKAGE_FILES = "package-files";

  static LiveKey file(Bytes hash) {
    return new LiveKey(FILES, "", "", hash);
  }

  static LiveKey packageFile(String packageName, String path, Bytes hash) {
    return new LiveKey(PACKAGE_FILES, packageName, path, hash);
  }

  @Override
  public String toString() {
    return collection.equals(FILES)
        ? FILES + " " + hash.toHex()
        : PACKAGE_FILES + " " + packageName + " " + path + " " + hash.toHex();
  }
}
