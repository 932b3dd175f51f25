package dev.kvshift.demo.catalog;

import dev.kvshift.model.Model;

/** The catalog's collections. */
public enum CatalogCollection {
  /** One entry for each class file: a point collection. */
  FILES,
  /** The class files of each package, by name: a range collection. */
  PACKAGE_FILES;

  /** Returns the collection's model. */
  public Model model() {
    return switch (this) {
      case FILES -> ClassFileCatalog.FILES;
      case PACKAGE_FILES -> ClassFileCatalog.PACKAGE_FILES;
    };
  }

  /** Returns the collection's name in the stores. */
  @Override
  public String toString() {
    return model().name();
  }
}
