package dev.kvshift.scylla;

import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.ConnectionString.Parameter;
import dev.kvshift.scylla.internal.cql.ForeignTable;
import dev.kvshift.scylla.internal.session.Sessions;
import dev.kvshift.scylla.internal.session.Settings;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreProvider;
import java.util.List;

/**
 * Opens ScyllaDB or Apache Cassandra: {@code scylla://[USER:PASSWORD@]HOST[:PORT][,…]/KEYSPACE}.
 *
 * <p>Safe for use by many threads. {@link #open} connects and checks the server and the keyspace.
 * If it fails, nothing stays open: with {@code Permanent} if a person has to fix something (a wrong
 * parameter, wrong credentials, a missing keyspace), with {@code Transient} if no server answers.
 *
 * <p>With {@code table=KEYSPACE.NAME&main=…&value=…} the store has one collection, in a table that
 * kvshift did not make.
 */
public final class ScyllaProvider implements StoreProvider {
  /** The scheme of its connection strings. */
  public static final String SCHEME = "scylla";

  /** For {@link java.util.ServiceLoader}. */
  public ScyllaProvider() {}

  @Override
  public String scheme() {
    return SCHEME;
  }

  @Override
  public List<Parameter> parameters() {
    return Settings.PARAMETERS;
  }

  @Override
  public Store open(ConnectionString string, Context context) {
    Settings settings = Settings.of(string);
    ScyllaStore store =
        ScyllaStore.open(settings, context.clock(), context.observer(), Sessions.options(settings));
    ForeignTable table = settings.table();
    return table == null ? store : store.of(table);
  }
}
