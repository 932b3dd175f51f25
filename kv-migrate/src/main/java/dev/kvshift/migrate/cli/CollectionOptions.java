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
import java.util.SortedMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/**
 * The collection, and the plugins: a folder of jars with a company's models, which define the
 * layouts of its collections, and with further drivers.
 */
final class CollectionOptions {
  private static final Path DEFAULT_PLUGINS = Path.of("plugins");

  @Option(
      names = "--collection",
      required = true,
      paramLabel = "NAME",
      description = "Name of the collection, the same in both stores.")
  String name = "";

  @Option(
      names = "--layout",
      paramLabel = "LAYOUT",
      description =
          "Layout of the collection, such as 'range;shard=bits=8;encoding=1' (default: that of its"
              + " model among the plugins).")
  private @Nullable String layout;

  @Option(
      names = "--plugins",
      paramLabel = "FOLDER",
      description =
          "Folder of jars with models and further drivers (default: plugins, if it exists).")
  private @Nullable Path plugins;

  private @Nullable ClassLoader loader;

  /** Opens a store with a bundled driver or one of the plugins. */
  Store open(String connectionString) {
    return Stores.open(ConnectionString.parse(connectionString), loader());
  }

  /**
   * Returns the layout that was given, or that of the model.
   *
   * @throws KvException.Permanent if there is neither, or if they differ
   */
  Layout layout() {
    Layout given = layout == null ? null : Layout.parse(layout);
    SortedMap<String, Model> models = ModelCatalogue.find(loader());
    Model model = models.get(name);
    if (model == null && given == null) {
      throw new KvException.Permanent(
          "collection "
              + name
              + " has no model among the plugins in "
              + folder().toAbsolutePath()
              + (models.isEmpty() ? ", which have none" : ", which have " + models.keySet())
              + ": give --layout, or add the jar with its model");
    }
    if (model == null) {
      return given;
    }
    if (given != null && !given.equals(model.layout())) {
      throw new KvException.Permanent(
          "collection "
              + name
              + " was given the layout "
              + given
              + ", but its model has "
              + model.layout()
              + ": leave out --layout, or the model's jar");
    }
    return model.layout();
  }

  private Path folder() {
    return plugins == null ? DEFAULT_PLUGINS : plugins;
  }

  /** Returns the class loader of the plugins, which is never closed: drivers load classes late. */
  private ClassLoader loader() {
    if (loader == null) {
      loader = new URLClassLoader(jars(), CollectionOptions.class.getClassLoader());
    }
    return loader;
  }

  private URL[] jars() {
    if (plugins == null && !Files.isDirectory(DEFAULT_PLUGINS)) {
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
