package dev.kvshift.spi;

import dev.kvshift.api.Cohort;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.KvObserver;
import java.util.List;

/**
 * A driver, found by {@link java.util.ServiceLoader} and chosen by the scheme of a connection
 * string. One instance may open any number of stores, from any thread.
 */
public interface StoreProvider {
  /** Returns the scheme, such as {@code scylla}. */
  String scheme();

  /** Returns the parameters that its connection strings take; any other is an error. */
  List<ConnectionString.Parameter> parameters();

  /**
   * Opens a store, and returns once its server has answered. The opener has checked the parameters'
   * names with {@link ConnectionString#requireKnown}; the driver checks their values, and reads the
   * password at each connect with {@link ConnectionString#currentPassword()}.
   *
   * @throws dev.kvshift.api.KvException.Permanent if the string is wrong
   * @throws dev.kvshift.api.KvException.Transient if the server cannot be reached
   */
  Store open(ConnectionString string, Context context);

  /** The services that the opener provides to a driver. */
  interface Context {
    /** Opens a nested store, sharded if it needs to be. {@code transition://} opens its sides. */
    Store open(ConnectionString nested);

    /** Returns the version clock of the process. */
    VersionClock clock();

    /** Returns the observer of warnings and events; {@link KvObserver#NONE} by default. */
    default KvObserver observer() {
      return KvObserver.NONE;
    }

    /** Returns the main keys that are read from a new store first; none by default. */
    default Cohort cohort() {
      return Cohort.NONE;
    }
  }
}
