package dev.kvshift.scylla.internal.session;

import com.datastax.oss.driver.api.core.ConsistencyLevel;
import com.datastax.oss.driver.api.core.CqlIdentifier;
import com.datastax.oss.driver.api.core.context.DriverContext;
import com.datastax.oss.driver.api.core.cql.BoundStatement;
import com.datastax.oss.driver.api.core.cql.SimpleStatement;
import com.datastax.oss.driver.api.core.cql.Statement;
import com.datastax.oss.driver.api.core.metadata.Node;
import com.datastax.oss.driver.api.core.session.Request;
import com.datastax.oss.driver.internal.core.specex.ConstantSpeculativeExecutionPolicy;
import org.jspecify.annotations.Nullable;

/**
 * Sends a read to a second node if the first has not answered after a delay. Writes are sent once,
 * though most are idempotent: a second copy of every slow write would add load exactly when nodes
 * are overloaded. Serial reads are sent once, since concurrent ones make each other fail.
 *
 * <p>It is public because the native driver loads it by name.
 */
public final class SpeculativeReads extends ConstantSpeculativeExecutionPolicy {
  private static final long NEVER = -1;

  /** Called by the native driver. */
  public SpeculativeReads(DriverContext context, String profile) {
    super(context, profile);
  }

  @Override
  public long nextExecution(
      Node node, @Nullable CqlIdentifier keyspace, Request request, int runningExecutions) {
    return isPlainRead(request)
        ? super.nextExecution(node, keyspace, request, runningExecutions)
        : NEVER;
  }

  static boolean isPlainRead(Request request) {
    String query = "";
    if (request instanceof BoundStatement bound) {
      query = bound.getPreparedStatement().getQuery();
    } else if (request instanceof SimpleStatement simple) {
      query = simple.getQuery();
    }
    if (!query.startsWith("SELECT ")) {
      return false;
    }
    ConsistencyLevel consistency = ((Statement<?>) request).getConsistencyLevel();
    return consistency == null || !consistency.isSerial();
  }
}
