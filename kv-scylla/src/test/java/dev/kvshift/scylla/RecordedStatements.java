package dev.kvshift.scylla;

import static org.assertj.core.api.Assertions.assertThat;

import com.datastax.oss.driver.api.core.config.DriverExecutionProfile;
import com.datastax.oss.driver.api.core.context.DriverContext;
import com.datastax.oss.driver.api.core.cql.BatchStatement;
import com.datastax.oss.driver.api.core.cql.BatchableStatement;
import com.datastax.oss.driver.api.core.cql.BoundStatement;
import com.datastax.oss.driver.api.core.cql.DefaultBatchType;
import com.datastax.oss.driver.api.core.cql.PrepareRequest;
import com.datastax.oss.driver.api.core.cql.SimpleStatement;
import com.datastax.oss.driver.api.core.metadata.Node;
import com.datastax.oss.driver.api.core.session.Request;
import com.datastax.oss.driver.api.core.tracker.RequestTracker;
import dev.kvshift.scylla.internal.cql.CollectionCql;
import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Every statement that the tests have sent. Checks its text against the lint, and its routing,
 * idempotence and deadline.
 */
public final class RecordedStatements implements RequestTracker {
  private static final Map<String, String> FINDINGS = new ConcurrentHashMap<>();
  private static final Set<String> SEEN = ConcurrentHashMap.newKeySet();
  private static final AtomicInteger BATCHES = new AtomicInteger();
  private static final AtomicInteger WHOLE_BATCHES = new AtomicInteger();

  /** Called by the native driver. */
  public RecordedStatements(DriverContext context) {}

  /** Asserts that statements were sent and that there is no finding about any of them. */
  public static void assertClean() {
    assertThat(SEEN).isNotEmpty();
    assertThat(FINDINGS).isEmpty();
  }

  @Override
  public void onSuccess(
      Request request,
      long latencyNanos,
      DriverExecutionProfile profile,
      Node node,
      String requestLogPrefix) {
    if (request instanceof PrepareRequest prepared) {
      lint(prepared.getQuery());
    } else if (request instanceof SimpleStatement simple) {
      lint(simple.getQuery());
    } else if (request instanceof BoundStatement bound) {
      String query = bound.getPreparedStatement().getQuery();
      lint(query);
      boolean conditional = query.contains(" IF ");
      if (bound.getRoutingToken() == null || bound.getRoutingKeyspace() == null) {
        FINDINGS.put(query, "without routing");
      }
      if (Boolean.TRUE.equals(bound.isIdempotent()) == conditional) {
        FINDINGS.put(query, "idempotence " + bound.isIdempotent());
      }
      if (bound.getTimeout() == null) {
        FINDINGS.put(query, "without a deadline");
      }
      if (query.startsWith("BEGIN ")) {
        checkWholeBatch(bound);
      }
    } else if (request instanceof BatchStatement batch) {
      checkBatch(batch);
    } else {
      FINDINGS.put(request.getClass().getName(), "an unknown kind of request");
    }
  }

  /** Checks for one partition and few bytes. In a row, main and shard follow three values. */
  private static void checkWholeBatch(BoundStatement batch) {
    WHOLE_BATCHES.incrementAndGet();
    int values = batch.getValues().size() / CollectionCql.BATCH_ROWS;
    Set<List<ByteBuffer>> partitions = new HashSet<>();
    int bytes = bytes(batch);
    for (int first = 0; first < batch.getValues().size(); first += values) {
      partitions.add(batch.getValues().subList(first + values - 3, first + values - 1));
    }
    if (partitions.size() != 1 || bytes > 64 << 10) {
      FINDINGS.put(
          "whole batch", "rows of " + partitions.size() + " partitions, " + bytes + " bytes");
    }
  }

  private static int bytes(BoundStatement statement) {
    return statement.getValues().stream().mapToInt(ByteBuffer::remaining).sum();
  }

  /** Checks for one partition, few bytes, type and a timestamp of each row. */
  private static void checkBatch(BatchStatement batch) {
    BATCHES.incrementAndGet();
    Set<ByteBuffer> partitions = new HashSet<>();
    int bytes = 0;
    for (BatchableStatement<?> one : batch) {
      if (one instanceof BoundStatement bound) {
        String query = bound.getPreparedStatement().getQuery();
        lint(query);
        if (!query.contains(" USING TIMESTAMP ?")) {
          FINDINGS.put(query, "without a timestamp in a batch");
        }
        partitions.add(bound.getRoutingKey());
        bytes += bytes(bound);
      } else {
        FINDINGS.put("batch", "not bound: " + one);
      }
    }
    if (partitions.size() != 1 || batch.size() < 2 || batch.size() > 50 || bytes > 64 << 10) {
      FINDINGS.put(
          "batch",
          batch.size() + " rows of " + partitions.size() + " partitions, " + bytes + " bytes");
    }
    if (batch.getBatchType() != DefaultBatchType.UNLOGGED
        || batch.getRoutingToken() == null
        || batch.getRoutingKeyspace() == null
        || !Boolean.TRUE.equals(batch.isIdempotent())
        || batch.getExecutionProfile() == null) {
      FINDINGS.put("batch", "type, routing, idempotence or deadline");
    }
  }

  /** Returns how many batches the tests have sent. */
  static int batches() {
    return BATCHES.get();
  }

  /** Returns how many whole batches the tests have sent, each as one statement. */
  static int wholeBatches() {
    return WHOLE_BATCHES.get();
  }

  private static void lint(String query) {
    if (SEEN.add(query)) {
      CqlLint.check(query, true).forEach(finding -> FINDINGS.put(query, finding));
    }
  }

  @Override
  public void close() {}
}
