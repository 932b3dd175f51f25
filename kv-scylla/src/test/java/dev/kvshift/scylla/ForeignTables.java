package dev.kvshift.scylla;

import com.datastax.oss.driver.api.core.CqlSession;
import dev.kvshift.api.Layout;
import dev.kvshift.api.Layout.Shape;
import dev.kvshift.scylla.internal.cql.ForeignTable;
import dev.kvshift.scylla.internal.session.Sessions;
import dev.kvshift.scylla.internal.session.Settings;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.temporal.ChronoUnit;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A keyspace of tables that kvshift did not make, one for each collection of a test. A store of one
 * table shows one collection; those of this class show many, each in a table that plain CQL makes.
 */
public final class ForeignTables implements AutoCloseable {
  private final String own = TestStores.newKeyspace();
  private final String shop = TestStores.newKeyspace();
  private final CqlSession cql = Sessions.open(Settings.of(TestStores.string(shop, "")));
  private final Set<String> made = ConcurrentHashMap.newKeySet();

  public ForeignTables() {
    cql.execute(
        "CREATE KEYSPACE "
            + shop
            + " WITH replication = {'class': 'NetworkTopologyStrategy', '"
            + TestServer.shared().datacenter()
            + "': 1}");
    make("any", Shape.RANGE);
  }

  /** Opens a store that keeps its deletes. Its time has whole seconds, as its expiries have. */
  public Store open() {
    ScyllaStore inner =
        (ScyllaStore)
            TestStores.open(
                TestStores.string(
                    own, "&deletes=kept&table=" + shop + ".any&main=k&clustering=c&value=v"),
                (statement, real) -> real.apply(statement));
    Store any = inner.of(table("any", Shape.RANGE));
    return (Store)
        Proxy.newProxyInstance(
            Store.class.getClassLoader(),
            new Class<?>[] {Store.class},
            (proxy, method, arguments) -> {
              try {
                return switch (method.getName()) {
                  case "open" ->
                      open(
                          inner,
                          (String) arguments[0],
                          (Layout) arguments[1],
                          (Claim) arguments[2]);
                  case "serverTime" ->
                      any.serverTime().thenApply(time -> time.truncatedTo(ChronoUnit.SECONDS));
                  default -> method.invoke(any, arguments);
                };
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  private CompletionStage<StoreCollection> open(
      ScyllaStore inner, String name, Layout layout, Claim claim) {
    String table = name.replace('-', '_');
    make(table, layout.shape());
    return inner
        .of(table(table, layout.shape()))
        .open(name, layout.withEncoding(0), claim)
        .thenApply(collection -> withLayout(collection, layout));
  }

  /** Returns the same collection, which shows the layout that the test has asked for. */
  private static StoreCollection withLayout(StoreCollection collection, Layout layout) {
    return (StoreCollection)
        Proxy.newProxyInstance(
            StoreCollection.class.getClassLoader(),
            new Class<?>[] {StoreCollection.class},
            (proxy, method, arguments) -> {
              try {
                return method.getName().equals("layout")
                    ? layout
                    : method.invoke(collection, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  private synchronized void make(String table, Shape shape) {
    if (made.add(table)) {
      cql.execute(
          "CREATE TABLE "
              + shop
              + "."
              + table
              + (shape == Shape.POINT
                  ? " (k blob PRIMARY KEY, v blob)"
                  : " (k blob, c blob, v blob, PRIMARY KEY (k, c))"));
    }
  }

  private ForeignTable table(String table, Shape shape) {
    return new ForeignTable(shop, table, "k", shape == Shape.POINT ? null : "c", "v");
  }

  @Override
  public void close() {
    cql.close();
    TestStores.drop(own);
    TestStores.drop(shop);
    RecordedStatements.assertClean();
  }
}
