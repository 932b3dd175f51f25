package dev.kvshift.model;

import dev.kvshift.api.KvException;
import java.util.List;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Names the models that a jar holds, so that the runner finds them there. A company implements it
 * once and lists the class under {@code META-INF/services/dev.kvshift.model.ModelCatalogue}.
 */
public interface ModelCatalogue {
  /** Returns the models; called once. */
  List<Model> models();

  /**
   * Finds the models of all catalogues that the loader sees, by name.
   *
   * @throws KvException.Permanent where two models of one name differ in their layout or keys, or a
   *     catalogue that is listed cannot be made
   */
  static SortedMap<String, Model> find(ClassLoader loader) {
    SortedMap<String, Model> found = new TreeMap<>();
    for (ModelCatalogue catalogue : catalogues(loader)) {
      for (Model model : catalogue.models()) {
        Model other = found.put(model.name(), model);
        if (other != null && !other.toString().equals(model.toString())) {
          throw new KvException.Permanent(
              "two models of one name differ: "
                  + other
                  + " and "
                  + model
                  + ": leave out the one that is not in use");
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
          "a catalogue of models cannot be loaded: " + e.getMessage() + ": mend its jar", e);
    }
  }
}
