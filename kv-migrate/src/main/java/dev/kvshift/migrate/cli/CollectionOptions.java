package dev.kvshift.migrate.cli;

import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.spi.Store;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/**
 * The collection, and the plugins: a folder of jars with a company's models, which define the
 * layouts of its collections, and with further drivers.
 */
final class CollectionOptions {
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

  private @Nullable Plugins loaded;

  /** Opens a store with a bundled driver or one of the plugins. */
  Store open(String connectionString) {
    return plugins().open(connectionString);
  }

  /**
   * Returns the layout that was given, or that of the model.
   *
   * @throws KvException.Permanent if there is neither, or if they differ
   */
  Layout layout() {
    return plugins().layout(name, layout == null ? null : Layout.parse(layout));
  }

  private Plugins plugins() {
    if (loaded == null) {
      loaded = new Plugins(plugins);
    }
    return loaded;
  }
}
