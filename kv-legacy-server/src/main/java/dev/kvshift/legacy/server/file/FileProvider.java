package dev.kvshift.legacy.server.file;

import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.ConnectionString.Parameter;
import dev.kvshift.api.KvException;
import dev.kvshift.legacy.server.internal.engine.Engine;
import dev.kvshift.legacy.server.internal.storage.EngineOptions;
import dev.kvshift.legacy.wire.LegacyParameters;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreProvider;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The provider of {@code legacy+file:///DIR}: the legacy store inside this process, without a
 * server. Safe for use by many threads.
 *
 * <p>Opening one folder several times shares one store, which is closed with the last. All must
 * name the same number of partitions, and none may ask for synced writes if the store does not sync
 * them. Opening fails with {@link KvException.Permanent} if another process has the folder open.
 */
public final class FileProvider implements StoreProvider {
  private static final Parameter PARTITIONS =
      Parameter.optional(
          "partitions", "64", "number of partitions, 1 to 4096; fixed for the life of the store");
  private static final Parameter SYNC =
      Parameter.optional(
          "sync",
          "true",
          "whether a write is on the disk before it is acknowledged, true or false");

  private static final Map<Path, Shared> OPEN = new HashMap<>();

  private static final class Shared {
    final Engine engine;
    int users;

    Shared(Engine engine) {
      this.engine = engine;
    }
  }

  /** Called by {@link java.util.ServiceLoader}. */
  public FileProvider() {}

  @Override
  public String scheme() {
    return "legacy+file";
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(LegacyParameters.TIMEOUT, PARTITIONS, SYNC);
  }

  @Override
  public Store open(ConnectionString string, Context context) {
    string.requireKnown(parameters());
    if (!string.hosts().isEmpty() || !string.path().startsWith("/")) {
      throw new KvException.Permanent(
          "legacy+file:// names a folder: write legacy+file:///DIR with three slashes");
    }
    Path directory = Path.of(string.path()).toAbsolutePath().normalize();
    EngineOptions options =
        EngineOptions.of(directory, LegacyParameters.number(string, PARTITIONS))
            .withSync(LegacyParameters.truth(string, SYNC));
    Engine engine = acquire(directory, options);
    return new FileStore(
        engine,
        LegacyParameters.duration(string, LegacyParameters.TIMEOUT),
        string.toString(),
        () -> release(directory));
  }

  private static Engine acquire(Path directory, EngineOptions options) {
    synchronized (OPEN) {
      Shared shared = OPEN.get(directory);
      if (shared == null) {
        shared = new Shared(Engine.open(options));
        OPEN.put(directory, shared);
      } else if (shared.engine.options().partitions() != options.partitions()) {
        throw new KvException.Permanent(
            "store "
                + directory
                + " is open with "
                + shared.engine.options().partitions()
                + " partitions, not "
                + options.partitions()
                + ": give the same number");
      } else if (options.sync() && !shared.engine.options().sync()) {
        throw new KvException.Permanent(
            "store "
                + directory
                + " is open with sync=false, which does not keep the promise of sync=true: close"
                + " it first, or give sync=false");
      }
      shared.users++;
      return shared.engine;
    }
  }

  private static void release(Path directory) {
    synchronized (OPEN) {
      Shared shared = OPEN.get(directory);
      if (shared != null && --shared.users == 0) {
        OPEN.remove(directory);
        shared.engine.close();
      }
    }
  }
}
