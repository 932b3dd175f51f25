package dev.kvshift.migrate.cli;

import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.model.Model;
import dev.kvshift.model.ModelCatalogue;
import dev.kvshift.model.Stores;
import dev.kvshift.spi.Store;
import java.io.IOException;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A folder of jars with a company's models, which define the layouts of its collections, and with
 * further drivers. Its class loader is never closed: drivers load classes late.
 */
final class Plugins {
  private static final Path DEFAULT_FOLDER = Path.of("plugins");

  private final @Nullable Path given;
  private final ClassLoader loader;

  /** Loads the jars of a folder; null for the folder {@code plugins}, if it exists. */
  Plugins(@Nullable Path given) {
    this.given = given;
    this.loader = new URLClassLoader(jars(), Plugins.class.getClassLoader());
  }

  /** Opens a store with a bundled driver or one of the plugins. */
  Store open(String connectionString) {
    return open(ConnectionString.parse(connectionString));
  }

  /** Opens a store with a bundled driver or one of the plugins. */
  Store open(ConnectionString string) {
    return Stores.open(string, loader);
  }

  /** Returns the model of a collection; null if no plugin has one. */
  @Nullable Model model(String collection) {
    return ModelCatalogue.find(loader).get(collection);
  }

  /** Returns the names of the collections that have a model, if there is a folder of plugins. */
  Set<String> models() {
    return given == null && !Files.isDirectory(DEFAULT_FOLDER)
        ? Set.of()
        : ModelCatalogue.find(loader).keySet();
  }

  /**
   * Returns the layout that was given, or that of the model.
   *
   * @throws KvException.Permanent if there is neither, or if they differ
   */
  Layout layout(String collection, @Nullable Layout layout) {
    SortedMap<String, Model> models = ModelCatalogue.find(loader);
    Model model = models.get(collection);
    if (model == null && layout == null) {
      throw new KvException.Permanent(
          "collection "
              + collection
              + " has no model among the plugins in "
              + folder().toAbsolutePath()
              + (models.isEmpty() ? ", which have none" : ", which have " + models.keySet())
              + ": give its layout, or add the jar with its model");
    }
    if (model == null) {
      return layout;
    }
    if (layout != null && !layout.equals(model.layout())) {
      throw new KvException.Permanent(
          "collection "
              + collection
              + " was given the layout "
              + layout
              + ", but its model has "
              + model.layout()
              + ": leave out --layout, or the model's jar");
    }
    return model.layout();
  }

  private Path folder() {
    return given == null ? DEFAULT_FOLDER : given;
  }

  private URL[] jars() {
    if (given == null && !Files.isDirectory(DEFAULT_FOLDER)) {
      return new URL[0];
    }
    try (Stream<Path> files = Files.list(folder())) {
      List<URL> jars = new ArrayList<>();
      for (Path file : files.sorted().toList()) {
        if (file.toString().endsWith(".jar")) {
          jars.add(url(file));
        }
      }
      return jars.toArray(new URL[0]);
    } catch (IOException e) {
      throw new KvException.Permanent(
          "the plugins in " + folder() + " cannot be read: " + e + ": check --plugins", e);
    }
  }

  private static URL url(Path file) throws MalformedURLException {
    return file.toUri().toURL();
  }
}
