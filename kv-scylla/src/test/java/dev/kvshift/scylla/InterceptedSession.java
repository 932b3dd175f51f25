package dev.kvshift.scylla;

import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import com.datastax.oss.driver.api.core.cql.BoundStatement;
import com.datastax.oss.driver.api.core.cql.SimpleStatement;
import com.datastax.oss.driver.api.core.cql.Statement;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

/** A session of the native driver whose requests a test intercepts. */
public final class InterceptedSession {
  /** Replaces the sending of a statement. */
  public interface Hook {
    CompletionStage<AsyncResultSet> send(
        Statement<?> statement, Function<Statement<?>, CompletionStage<AsyncResultSet>> real);
  }

  private InterceptedSession() {}

  public static CqlSession of(CqlSession real, Hook hook) {
    return (CqlSession)
        Proxy.newProxyInstance(
            CqlSession.class.getClassLoader(),
            new Class<?>[] {CqlSession.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals("executeAsync")
                  && arguments[0] instanceof Statement<?> statement) {
                return hook.send(statement, real::executeAsync);
              }
              try {
                return method.invoke(real, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  public static String query(Statement<?> statement) {
    if (statement instanceof SimpleStatement simple) {
      return simple.getQuery();
    }
    return ((BoundStatement) statement).getPreparedStatement().getQuery();
  }
}
