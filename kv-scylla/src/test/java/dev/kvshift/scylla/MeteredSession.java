package dev.kvshift.scylla;

import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import com.datastax.oss.driver.api.core.cql.BoundStatement;
import dev.kvshift.testkit.meter.Meter;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.concurrent.CompletionStage;

/** A native session that counts every prepared statement and every page of an answer. */
final class MeteredSession {
  private MeteredSession() {}

  static CqlSession around(CqlSession session, Meter meter) {
    return (CqlSession)
        Proxy.newProxyInstance(
            CqlSession.class.getClassLoader(),
            new Class<?>[] {CqlSession.class},
            (proxy, method, arguments) -> {
              boolean noted =
                  method.getName().equals("executeAsync") && arguments[0] instanceof BoundStatement;
              if (noted) {
                note((BoundStatement) arguments[0], session, meter);
              }
              try {
                Object result = method.invoke(session, arguments);
                return noted ? answered((CompletionStage<?>) result, meter) : result;
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  private static void note(BoundStatement statement, CqlSession session, Meter meter) {
    String table =
        statement.getPreparedStatement().getVariableDefinitions().get(0).getTable().asInternal();
    meter.sent(
        table + " " + statement.getRoutingToken(),
        statement.computeSizeInBytes(session.getContext()));
  }

  private static CompletionStage<?> answered(CompletionStage<?> answer, Meter meter) {
    return answer.thenApply(
        result -> {
          int bytes = ((AsyncResultSet) result).getExecutionInfo().getResponseSizeInBytes();
          if (bytes < 0) {
            throw new AssertionError("the native driver does not report the size of an answer");
          }
          meter.answered(bytes);
          return result;
        });
  }
}
