package dev.kvshift.memory;

import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.ConnectionString.Parameter;
import dev.kvshift.api.KvException;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreProvider;
import java.util.List;
import java.util.concurrent.ForkJoinPool;

/**
 * Opens in-memory stores: {@code memory://NAME}. All stores that are opened under one name in one
 * process share their data, which lives until the last of them is closed.
 *
 * <p>By default requests complete at once and never fail, which hides what a service does wrong
 * with a real store. {@code memory://NAME?async=true&faults=50&seed=7} completes them on other
 * threads, and lets 50 of a thousand fail with {@code Transient} or {@code UnknownOutcome}.
 *
 * <p>Safe for use by many threads.
 */
public final class MemoryStoreProvider implements StoreProvider {
  private static final List<Parameter> PARAMETERS =
      List.of(
          Parameter.optional(
              "async",
              "false",
              "whether requests are served on other threads and in any order, as by a server"),
          Parameter.optional("faults", "0", "how many of a thousand requests fail, 0 to 1000"),
          Parameter.optional("seed", "0", "the seed of the faults, for runs that can be repeated"));

  /** Creates a provider, as {@link java.util.ServiceLoader} does. */
  public MemoryStoreProvider() {}

  /** Opens the store of that name with every capability. */
  public static Store open(String name) {
    return open(name, MemoryOptions.defaults());
  }

  /** Opens the store of that name with options. */
  public static Store open(String name, MemoryOptions options) {
    if (name.isEmpty()) {
      throw new KvException.Permanent("an in-memory store has a name: give memory://NAME");
    }
    return new MemoryStore(MemoryServer.acquire(name, options), options);
  }

  @Override
  public String scheme() {
    return "memory";
  }

  @Override
  public List<Parameter> parameters() {
    return PARAMETERS;
  }

  @Override
  public Store open(ConnectionString string, Context context) {
    if (string.hosts().size() != 1
        || string.hosts().get(0).port().isPresent()
        || !string.path().isEmpty()
        || string.user() != null) {
      throw new KvException.Permanent(
          "'" + string + "': an in-memory store has a name only: give memory://NAME");
    }
    string.requireKnown(parameters());
    MemoryOptions options =
        MemoryOptions.defaults()
            .withVersions(context.clock())
            .withFaults(
                (int) number(string, "faults", 1_000), number(string, "seed", Integer.MAX_VALUE));
    return open(
        string.hosts().get(0).name(),
        isAsynchronous(string) ? options.withExecutor(ForkJoinPool.commonPool()) : options);
  }

  private static boolean isAsynchronous(ConnectionString string) {
    String async = string.parameter("async").orElse("false");
    return switch (async) {
      case "true" -> true;
      case "false" -> false;
      default ->
          throw new KvException.Permanent(
              "async=" + async + " in '" + string + "': give true or false");
    };
  }

  private static long number(ConnectionString string, String name, int max) {
    String text = string.parameter(name).orElse("0");
    try {
      int number = Integer.parseInt(text);
      if (number >= 0 && number <= max) {
        return number;
      }
    } catch (NumberFormatException e) {
      // falls through to the error of every wrong number
    }
    throw new KvException.Permanent(
        name + "=" + text + " in '" + string + "': give a number from 0 to " + max);
  }
}
