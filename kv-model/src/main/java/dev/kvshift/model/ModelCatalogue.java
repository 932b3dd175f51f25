package dev.kvshift.model;

import dev.kvshift.api.KvException;
import dev.kvshift.model.mapping.Mapping;
import java.util.List;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The models in a jar, for the migration runner, and the mappings, for services as well. A company
 * implements this interface once and lists the class in {@code
 * META-INF/services/dev.kvshift.model.ModelCatalogue}.
 */
public interface ModelCatalogue {
  /** Returns the models. Called once. */
  List<Model> models();

  /** Returns the mappings that connection strings may name; none by default. */
  default List<Mapping> mappings() {
    return List.of();
  }

  /**
   * Returns the models of all catalogues that the class loader finds, by name.
   *
   * @throws KvException.Permanent if two models with one name differ in layout or keys, or if a
   *     listed catalogue cannot be created
   */
  static SortedMap<String, Model> find(ClassLoader loader) {
    SortedMap<String, Model> found = new TreeMap<>();
    for (ModelCatalogue catalogue : catalogues(loader)) {
      for (Model model : catalogue.models()) {
        Model other = found.put(model.name(), model);
        if (other != null && !other.toString().equals(model.toString())) {
          throw new KvException.Permanent(
              "two models with one name differ: "
                  + other
                  + " and "
                  + model
                  + ": remove the one that is not in use");
        }
      }
    }
    return found;
  }

  /**
   * Returns the mappings of all catalogues that the class loader finds, by name.
   *
   * @throws KvException.Permanent if two mappings have one name, or if a listed catalogue cannot be
   *     created
   */
  static SortedMap<String, Mapping> findMappings(ClassLoader loader) {
    SortedMap<String, Mapping> found = new TreeMap<>();
    for (ModelCatalogue catalogue : catalogues(loader)) {
      for (Mapping mapping : catalogue.mappings()) {
        Mapping other = found.put(mapping.name(), mapping);
        if (other != null) {
          throw new KvException.Permanent(
              "two mappings are called "
                  + mapping.name()
                  + ", for collections "
                  + other.collection()
                  + " and "
                  + mapping.collection()
                  + ": rename one of them");
        }
      }
    }
    return found;
  }

  private static List<ModelCatalogue> catalogues(ClassLoader loader) {
    try {
      return ServiceLoader.load(ModelCatalogue.class, loader).stream()
          .map(ServiceLoader.Provider::get)
          .toList();
    } catch (ServiceConfigurationError e) {
      throw new KvException.Permanent(
          "a model catalogue cannot be loaded: " + e.getMessage() + ": fix its jar", e);
    }
  }
}
