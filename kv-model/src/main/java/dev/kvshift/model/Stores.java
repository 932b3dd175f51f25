package dev.kvshift.model;

import dev.kvshift.KvStore;
import dev.kvshift.api.Capability;
import dev.kvshift.api.Cohort;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.KvException;
import dev.kvshift.api.KvObserver;
import dev.kvshift.api.StoreOptions;
import dev.kvshift.model.mapping.MappedStore;
import dev.kvshift.model.mapping.Mapping;
import dev.kvshift.model.shard.ShardedStore;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreProvider;
import dev.kvshift.spi.VersionClock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Opens the store that a connection string names, with the drivers on the class path.
 *
 * <p>{@link ServiceLoader} finds the drivers through the given class loader, or else through the
 * context class loader of the calling thread. Nested stores use the same class loader, whichever
 * thread opens them. A store without the capability of large main keys is opened as a {@link
 * ShardedStore}.
 *
 * <p>{@code access=read} in the string of a service, with any scheme, opens the store for reading:
 * see {@link StoreOptions#readOnly}.
 *
 * <p>{@code mapping=NAME,…} in any string names the {@linkplain Mapping mappings} through which
 * this store holds entries, one for a collection at most. They are found as drivers are, by way of
 * {@link ModelCatalogue#mappings}.
 */
public final class Stores {
  private static final String ACCESS = "access";
  private static final String MAPPING = "mapping";
  private static final String READ = "read";

  private Stores() {}

  /**
   * Opens a store for a service, which opens it once and keeps it.
   *
   * @throws KvException.Permanent if the string is wrong or no driver has its scheme
   * @throws KvException.Transient if the server cannot be reached
   */
  public static KvStore connect(String connectionString) {
    return connect(connectionString, StoreOptions.defaults());
  }

  /**
   * Opens a store for a service, which opens it once and keeps it.
   *
   * @param options who observes the store, and where its stages complete
   * @throws KvException.Permanent if the string is wrong or no driver has its scheme
   * @throws KvException.Transient if the server cannot be reached
   */
  public static KvStore connect(String connectionString, StoreOptions options) {
    ConnectionString string = ConnectionString.parse(connectionString);
    StoreOptions effective = isReadOnly(string) ? options.readOnly() : options;
    Store store = open(without(string, ACCESS), drivers(), options);
    return KvStore.over(store, effective);
  }

  private static boolean isReadOnly(ConnectionString string) {
    Optional<String> access = string.parameter(ACCESS);
    access.ifPresent(
        given -> {
          if (!given.equals(READ)) {
            throw new KvException.Permanent(
                "parameter 'access' of "
                    + string.scheme()
                    + ":// is '"
                    + given
                    + "': give 'read', or leave it out to read and write");
          }
        });
    return access.isPresent();
  }

  /** Opens a store for tools, which use the SPI; fails as {@link #connect(String)} does. */
  public static Store open(String connectionString) {
    return open(ConnectionString.parse(connectionString));
  }

  /** Opens a store for tools, which use the SPI; fails as {@link #connect(String)} does. */
  public static Store open(ConnectionString string) {
    return open(string, drivers());
  }

  /**
   * Opens a store for tools with the drivers of a class loader; fails as {@link #connect(String)}
   * does.
   */
  public static Store open(ConnectionString string, ClassLoader drivers) {
    return open(string, drivers, StoreOptions.defaults());
  }

  private static ClassLoader drivers() {
    ClassLoader context = Thread.currentThread().getContextClassLoader();
    return context == null ? Stores.class.getClassLoader() : context;
  }

  private static Store open(ConnectionString string, ClassLoader drivers, StoreOptions options) {
    Optional<String> named = string.parameter(MAPPING);
    List<Mapping> mappings = named.map(names -> mappings(names, drivers)).orElse(List.of());
    ConnectionString own = without(string, MAPPING);
    StoreProvider provider = provider(own.scheme(), drivers);
    own.requireKnown(provider.parameters());
    Store store = provider.open(own, new OpenContext(drivers, options));
    Store whole =
        store.capabilities().contains(Capability.LARGE_MAIN_KEYS) ? store : new ShardedStore(store);
    if (mappings.isEmpty()) {
      return whole;
    }
    try {
      return new MappedStore(whole, mappings);
    } catch (KvException e) {
      whole.close();
      throw e;
    }
  }

  private static ConnectionString without(ConnectionString string, String parameter) {
    Map<String, String> others = new LinkedHashMap<>(string.parameters());
    others.remove(parameter);
    return string.withParameters(others);
  }

  private static List<Mapping> mappings(String names, ClassLoader drivers) {
    SortedMap<String, Mapping> known = ModelCatalogue.findMappings(drivers);
    List<Mapping> found = new ArrayList<>();
    for (String name : names.split(",", -1)) {
      Mapping mapping = known.get(name);
      if (mapping == null) {
        throw new KvException.Permanent(
            "no catalogue on the class path has the mapping '"
                + name
                + "' that the connection string names; they have "
                + (known.isEmpty() ? "none" : String.join(", ", known.keySet()))
                + ": fix the name, or add the jar with the mapping");
      }
      found.add(mapping);
    }
    return found;
  }

  private static StoreProvider provider(String scheme, ClassLoader drivers) {
    Map<String, StoreProvider> found = new TreeMap<>();
    for (StoreProvider provider : ServiceLoader.load(StoreProvider.class, drivers)) {
      StoreProvider other = found.put(provider.scheme(), provider);
      if (other != null) {
        throw new KvException.Permanent(
            "two drivers for "
                + provider.scheme()
                + ":// are on the class path, "
                + other.getClass().getName()
                + " and "
                + provider.getClass().getName()
                + ": remove one of them");
      }
    }
    StoreProvider provider = found.get(scheme);
    if (provider == null) {
      throw new KvException.Permanent(
          "no driver for "
              + scheme
              + ":// is on the class path, which has "
              + (found.isEmpty() ? "none at all" : String.join("://, ", found.keySet()) + "://")
              + ": fix the scheme or add the driver's jar");
    }
    return provider;
  }

  private record OpenContext(ClassLoader drivers, StoreOptions options)
      implements StoreProvider.Context {
    @Override
    public Store open(ConnectionString nested) {
      return Stores.open(nested, drivers, options);
    }

    @Override
    public KvObserver observer() {
      return options.observer();
    }

    @Override
    public Cohort cohort() {
      return options.cohort();
    }

    @Override
    public VersionClock clock() {
      return VersionClock.ofProcess();
    }
  }
}
