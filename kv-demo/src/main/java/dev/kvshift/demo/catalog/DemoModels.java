package dev.kvshift.demo.catalog;

import dev.kvshift.model.Model;
import dev.kvshift.model.ModelCatalogue;
import java.util.List;

/** The demo's models for the runner, which then needs no layouts and shows keys and values. */
public final class DemoModels implements ModelCatalogue {
  @Override
  public List<Model> models() {
    return List.of(ClassFileCatalog.FILES, ClassFileCatalog.PACKAGE_FILES);
  }
}
