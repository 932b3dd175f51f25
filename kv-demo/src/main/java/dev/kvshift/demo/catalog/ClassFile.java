package dev.kvshift.demo.catalog;

import dev.kvshift.api.Bytes;
import dev.kvshift.demo.catalog.CatalogKey.FileInPackage;
import dev.kvshift.demo.catalog.CatalogKey.FileKey;
import dev.kvshift.demo.catalog.CatalogKey.PackageFileKey;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * A class file, as far as the catalog describes it.
 *
 * @param hash SHA-256 of its bytes
 * @param sizeBytes its size
 * @param major the major version of its format, such as 61 for Java 17
 * @param packageName its package, with dots; empty for the unnamed package
 * @param name its file name within the package
 * @param seenIn the file name of the jar, or the JDK module, in which it was found
 */
public record ClassFile(
    Bytes hash, long sizeBytes, int major, String packageName, String name, String seenIn) {
  /** Returns the hash by which the catalog identifies a file of this content. */
  public static Bytes hashOf(byte[] content) {
    try {
      return Bytes.of(MessageDigest.getInstance("SHA-256").digest(content));
    } catch (NoSuchAlgorithmException e) {
      throw new LinkageError("every JDK has SHA-256", e);
    }
  }

  /** Returns its key in the collection files. */
  public FileKey fileKey() {
    return new FileKey(hash);
  }

  /** Returns its key in the collection package-files. */
  public PackageFileKey packageFileKey() {
    return new PackageFileKey(packageName, new FileInPackage(name, hash));
  }
}
