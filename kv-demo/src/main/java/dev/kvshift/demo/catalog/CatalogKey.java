package dev.kvshift.demo.catalog;

import dev.kvshift.api.Bytes;
import dev.kvshift.spi.StoreKey;

/** A key of one of the catalog's collections, in the service's own terms. */
public sealed interface CatalogKey {
  /** Returns the collection that the key belongs to. */
  CatalogCollection collection();

  /** Returns the key as stores know it, with an empty shard. */
  StoreKey storeKey();

  /**
   * A key of the collection files.
   *
   * @param hash SHA-256 of the file's bytes
   */
  record FileKey(Bytes hash) implements CatalogKey {
    @Override
    public CatalogCollection collection() {
      return CatalogCollection.FILES;
    }

    @Override
    public StoreKey storeKey() {
      return StoreKey.of(ClassFileCatalog.FILES.key().encode(hash), Bytes.empty());
    }

    @Override
    public String toString() {
      return collection() + " " + hash.toHex();
    }
  }

  /**
   * A key of the collection package-files.
   *
   * @param packageName the package, with dots; the main key
   * @param file the file within the package; the clustering key
   */
  record PackageFileKey(String packageName, FileInPackage file) implements CatalogKey {
    @Override
    public CatalogCollection collection() {
      return CatalogCollection.PACKAGE_FILES;
    }

    @Override
    public StoreKey storeKey() {
      return StoreKey.of(
          ClassFileCatalog.PACKAGE_FILES.main().encode(packageName),
          ClassFileCatalog.PACKAGE_FILES.clustering().encode(file));
    }

    @Override
    public String toString() {
      return collection() + " " + packageName + " " + file.name() + " " + file.hash().toHex();
    }
  }

  /**
   * A file within its package: two jars can hold different files of one name.
   *
   * @param name the file's name
   * @param hash SHA-256 of its bytes
   */
  record FileInPackage(String name, Bytes hash) {}
}
