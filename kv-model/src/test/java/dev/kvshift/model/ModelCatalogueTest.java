package dev.kvshift.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.model.mapping.Mapping;
import java.util.List;
import org.junit.jupiter.api.Test;

class ModelCatalogueTest {
  /** The catalogue that the tests' class path declares. */
  public static final class Declared implements ModelCatalogue {
    @Override
    public List<Model> models() {
      return List.of(ModelTest.FILES, ModelDocumentTest.PACKAGE_FILES);
    }

    @Override
    public List<Mapping> mappings() {
      return List.of(new ModelDocumentTest.BoardMapping());
    }
  }

  @Test
  void find_cataloguesOfALoader_givesTheirModelsByName() {
    assertThat(ModelCatalogue.find(ModelCatalogueTest.class.getClassLoader()))
        .containsOnlyKeys("files", "package-files")
        .containsValues(ModelTest.FILES, ModelDocumentTest.PACKAGE_FILES);
    assertThat(ModelCatalogue.findMappings(ModelCatalogueTest.class.getClassLoader()))
        .containsOnlyKeys("boards-1");
  }
}
