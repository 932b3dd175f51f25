package dev.kvshift.migrate.cli;

import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.migrate.internal.data.CollectionData;
import dev.kvshift.migrate.internal.data.KeyNotation;
import dev.kvshift.migrate.internal.data.ValueText;
import dev.kvshift.model.Model;
import dev.kvshift.model.PointModel;
import dev.kvshift.model.RangeModel;
import dev.kvshift.spi.Store;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The collection that people look at, and how its keys and values are shown. */
final class DataOptions {
  private static final String TRANSITION = "transition";

  @Parameters(
      index = "0",
      paramLabel = "STRING",
      description =
          "Connection string of a store, or a reference to one, such as file:PATH. On"
              + " transition:// this process counts as an instance of a service while it runs.")
  private String string = "";

  @Parameters(index = "1", paramLabel = "COLLECTION", description = "Name of the collection.")
  private String name = "";

  @Option(
      names = "--layout",
      paramLabel = "LAYOUT",
      description =
          "Layout of the collection, such as 'range;shard=bits=8;encoding=1' (default: that of its"
              + " model, otherwise the one that the store has recorded).")
  private @Nullable String layout;

  @Option(
      names = "--plugins",
      paramLabel = "FOLDER",
      description =
          "Folder of jars with models and further drivers (default: plugins, if it exists).")
  private @Nullable Path plugins;

  @Option(
      names = "--descriptor",
      paramLabel = "FILE",
      description =
          "Shows values by the descriptors that protoc --include_imports --descriptor_set_out has"
              + " written; needs --message.")
  private @Nullable Path descriptor;

  @Option(
      names = "--message",
      paramLabel = "NAME",
      description = "Name of the values' message in the descriptor file.")
  private @Nullable String message;

  @Option(names = "--json", description = "Prints JSON, for programs.")
  boolean json;

  /** An open collection and its notation. */
  record Opened(
      Store store,
      CollectionData data,
      String name,
      Layout layout,
      KeyNotation keys,
      ValueText values,
      @Nullable Duration ttl,
      boolean isReadOnly)
      implements AutoCloseable {
    @Override
    public void close() {
      store.close();
    }
  }

  /** Opens the collection as it is. */
  Opened open() {
    if ((descriptor == null) != (message == null)) {
      throw new KvException.Permanent("give both --descriptor and --message, or neither");
    }
    ConnectionString parsed = ConnectionString.resolve(string);
    Map<String, String> parameters = new LinkedHashMap<>(parsed.parameters());
    boolean isReadOnly = "read".equals(parameters.get("access"));
    if (isReadOnly) {
      parameters.remove("access");
    }
    Plugins jars = new Plugins(plugins);
    Model model = jars.model(name);
    Store store = jars.open(parsed.withParameters(parameters));
    try {
      Layout effective = layout(jars, model, parsed, store);
      return new Opened(
          store,
          CollectionData.open(store, name, effective),
          name,
          effective,
          KeyNotation.of(effective, model),
          values(model),
          ttl(model),
          isReadOnly);
    } catch (RuntimeException e) {
      store.close();
      throw e;
    }
  }

  private ValueText values(@Nullable Model model) {
    if (descriptor != null && message != null) {
      return ValueText.of(descriptor, message);
    }
    if (model instanceof PointModel<?, ?> point) {
      return ValueText.of(point.value());
    }
    return model instanceof RangeModel<?, ?, ?> range
        ? ValueText.of(range.value())
        : ValueText.plain();
  }

  private static @Nullable Duration ttl(@Nullable Model model) {
    if (model instanceof PointModel<?, ?> point) {
      return point.ttl();
    }
    return model instanceof RangeModel<?, ?, ?> range ? range.ttl() : null;
  }

  private Layout layout(Plugins jars, @Nullable Model model, ConnectionString parsed, Store store) {
    if (model != null || layout != null) {
      return jars.layout(name, layout == null ? null : Layout.parse(layout));
    }
    Layout recorded = CollectionData.recordedLayout(store, name);
    if (recorded == null && parsed.scheme().equals(TRANSITION)) {
      try (Store target = jars.open(parsed.nested("new"))) {
        recorded = CollectionData.recordedLayout(target, name);
      }
    }
    if (recorded == null) {
      throw new KvException.Permanent(
          store.description()
              + " has not recorded a layout of collection "
              + name
              + ": check the name, and give --layout, or the folder of its model's jar");
    }
    return recorded;
  }
}
