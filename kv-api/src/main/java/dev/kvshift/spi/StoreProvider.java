package dev.kvshift.spi;

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
   * Opens a store. Connects: returns once the server has answered. The opener has checked the
   * parameters' names with {@link ConnectionString#requireKnown}; the driver checks their values,
   * and reads the password at each connect with {@link ConnectionString#currentPassword()}.
   *
   * @throws dev.kvshift.api.KvException.Permanent where the string is wrong
   * @throws dev.kvshift.api.KvException.Transient where the server cannot be reached
   */
  Store open(ConnectionString string, Context context);

  /** What the opener lends to a driver. */
  interface Context {
    /** Opens another store, sharded where it needs to be: for {@code transition://}. */
    Store open(ConnectionString nested);

    /** Returns the process's one version clock. */
    VersionClock clock();

    /** Returns who is told of what servers warn of: nobody, unless the opener names someone. */
    default KvObserver observer() {
      return KvObserver.NONE;
    }
  }
}
