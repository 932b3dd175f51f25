package dev.kvshift.scylla.internal.session;

import com.datastax.oss.driver.api.core.CqlIdentifier;
import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.DefaultConsistencyLevel;
import com.datastax.oss.driver.api.core.config.DefaultDriverOption;
import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import com.datastax.oss.driver.api.core.cql.BatchStatementBuilder;
import com.datastax.oss.driver.api.core.cql.BoundStatementBuilder;
import com.datastax.oss.driver.api.core.cql.PreparedStatement;
import com.datastax.oss.driver.api.core.cql.SimpleStatement;
import com.datastax.oss.driver.api.core.cql.SimpleStatementBuilder;
import com.datastax.oss.driver.api.core.cql.Statement;
import com.datastax.oss.driver.api.core.cql.StatementBuilder;
import com.datastax.oss.driver.api.core.metadata.TokenMap;
import com.datastax.oss.driver.api.core.servererrors.InvalidQueryException;
import dev.kvshift.api.KvException;
import dev.kvshift.api.KvObserver;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Futures;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends statements with their deadline, routing and consistency, and maps the native driver's
 * errors to the contract's. The session limits how many are in flight and waiting.
 */
public final class Requests implements AutoCloseable {
  private static final int PREPARE_TRIES = 10;
  private static final int PROTOCOL_WITH_FIXED_TIME = 5;
  private static final Duration PREPARE_AGAIN_AFTER = Duration.ofMillis(200);
  private static final Duration CLOSE_WAIT = Duration.ofSeconds(2);
  private static final Logger LOG = LoggerFactory.getLogger(Requests.class);

  private final CqlSession session;
  private final Settings settings;
  private final CqlIdentifier keyspace;
  private final DefaultConsistencyLevel serial;
  private final ServerWarnings warnings;
  private final boolean fixesTime;
  private final AtomicInteger queued = new AtomicInteger();
  private volatile boolean closed;

  public Requests(CqlSession session, Settings settings) {
    this(session, settings, KvObserver.NONE);
  }

  public Requests(CqlSession session, Settings settings, KvObserver observer) {
    warnings = new ServerWarnings(settings.toString(), observer);
    this.session = session;
    this.settings = settings;
    fixesTime = session.getContext().getProtocolVersion().getCode() >= PROTOCOL_WITH_FIXED_TIME;
    keyspace = CqlIdentifier.fromInternal(settings.keyspace());
    serial = DefaultConsistencyLevel.valueOf(settings.serialConsistency());
  }

  public CqlSession session() {
    return session;
  }

  public Settings settings() {
    return settings;
  }

  /** Returns a call with the store's time-out. */
  public Call call() {
    return Call.within(settings.timeout());
  }

  /** Prepares an idempotent statement: a read, or a write with a timestamp. */
  public CompletionStage<PreparedStatement> prepare(String cql) {
    return prepare(SimpleStatement.builder(cql).setIdempotence(true));
  }

  /** Prepares a read at serial consistency. */
  public CompletionStage<PreparedStatement> prepareSerialRead(String cql) {
    return prepare(SimpleStatement.builder(cql).setIdempotence(true).setConsistencyLevel(serial));
  }

  /** Prepares a conditional write, which is never retried. */
  public CompletionStage<PreparedStatement> prepareConditional(String cql) {
    return prepare(
        SimpleStatement.builder(cql)
            .setIdempotence(false)
            .setSerialConsistencyLevel(serial)
            .setConsistencyLevel(
                serial == DefaultConsistencyLevel.SERIAL
                    ? DefaultConsistencyLevel.QUORUM
                    : DefaultConsistencyLevel.LOCAL_QUORUM));
  }

  /** Sets the profile, which the native driver would otherwise look up several times a request. */
  private CompletionStage<PreparedStatement> prepare(SimpleStatementBuilder statement) {
    return prepare(
        statement
            .setTimeout(settings.timeout())
            .setExecutionProfile(session.getContext().getConfig().getDefaultProfile())
            .build(),
        1);
  }

  /**
   * Retries if the statement is refused. The columns of a table that another process has just
   * created are visible a moment before statements on it can be prepared.
   */
  private CompletionStage<PreparedStatement> prepare(SimpleStatement statement, int attempt) {
    if (closed) {
      return CompletableFuture.failedFuture(closedError());
    }
    CompletionStage<PreparedStatement> prepared;
    try {
      prepared = session.prepareAsync(statement);
    } catch (IllegalStateException e) {
      return CompletableFuture.failedFuture(closed ? closedError() : e);
    }
    return prepared.exceptionallyCompose(
        error ->
            Futures.unwrap(error) instanceof InvalidQueryException && attempt < PREPARE_TRIES
                ? Futures.after(PREPARE_AGAIN_AFTER)
                    .thenCompose(waited -> prepare(statement, attempt + 1))
                : CompletableFuture.failedFuture(failure("preparing a statement", error, false)));
  }

  /** Routes a statement to a replica of its partition, even if the native driver cannot tell. */
  public <B extends StatementBuilder<B, ?>> B route(B statement, ByteBuffer... partitionKey) {
    Optional<TokenMap> tokens = session.getMetadata().getTokenMap();
    statement.setRoutingKeyspace(keyspace);
    if (tokens.isPresent()) {
      statement.setRoutingToken(tokens.get().newToken(partitionKey));
    }
    return statement;
  }

  /** Routes a statement to a replica of a token. */
  public BoundStatementBuilder route(BoundStatementBuilder statement, long token) {
    Optional<TokenMap> tokens = session.getMetadata().getTokenMap();
    statement.setRoutingKeyspace(keyspace);
    if (tokens.isPresent()) {
      statement.setRoutingToken(tokens.get().parse(Long.toString(token)));
    }
    return statement;
  }

  /** Returns whether a request can fix the second from which its TTL counts. */
  public boolean fixesTime() {
    return fixesTime;
  }

  public CompletionStage<AsyncResultSet> read(String what, Statement<?> statement, Call call) {
    Duration left = call.remaining();
    return isOver(left)
        ? notSent(what)
        : send(what, statement.setTimeout(left), false, Function.identity());
  }

  /** Reads, and maps the result. */
  public <T extends @Nullable Object> CompletionStage<T> read(
      String what, BoundStatementBuilder statement, Call call, Function<AsyncResultSet, T> answer) {
    Duration left = call.remaining();
    return isOver(left)
        ? notSent(what)
        : send(what, statement.setTimeout(left).build(), false, answer);
  }

  /** Reads into the answer, which saves a stage on the hot path. */
  public <T extends @Nullable Object> CompletionStage<T> read(
      BoundStatementBuilder statement, Call call, Answer<T> answer) {
    Duration left = call.remaining();
    if (isOver(left)) {
      return notSent(answer.what());
    }
    execute(statement.setTimeout(left).build()).whenComplete(answer);
    return answer;
  }

  /** The stage of a read, completed by the native driver's callback itself. */
  public abstract static class Answer<T extends @Nullable Object> extends CompletableFuture<T>
      implements BiConsumer<@Nullable AsyncResultSet, @Nullable Throwable> {
    protected abstract Requests requests();

    protected abstract String what();

    /** Completes this stage from the result, now or later. */
    protected abstract void take(AsyncResultSet result);

    @Override
    public final void accept(@Nullable AsyncResultSet result, @Nullable Throwable error) {
      try {
        take(requests().result(what(), result, error, false));
      } catch (RuntimeException e) {
        completeExceptionally(e);
      }
    }
  }

  public CompletionStage<AsyncResultSet> write(String what, Statement<?> statement, Call call) {
    Duration left = call.remaining();
    return isOver(left)
        ? notSent(what)
        : send(what, statement.setTimeout(left), true, Function.identity());
  }

  /** Writes, and maps the result. */
  public <T extends @Nullable Object> CompletionStage<T> write(
      String what,
      StatementBuilder<?, ?> statement,
      Call call,
      Function<AsyncResultSet, T> answer) {
    Duration left = call.remaining();
    return isOver(left) ? notSent(what) : send(what, timed(statement, left), true, answer);
  }

  /** Sets the time-out. The native driver ignores that of a batch, but not that of its profile. */
  private <S extends Statement<S>, B extends StatementBuilder<B, S>> S timed(
      StatementBuilder<B, S> statement, Duration left) {
    return statement instanceof BatchStatementBuilder
        ? statement
            .setExecutionProfile(
                session
                    .getContext()
                    .getConfig()
                    .getDefaultProfile()
                    .withDuration(DefaultDriverOption.REQUEST_TIMEOUT, left))
            .build()
        : statement.setTimeout(left).build();
  }

  /**
   * Takes a place among the waiting writes, of which one partition gets at most half.
   *
   * @param ofPartition how many writes of the same partition are waiting
   * @return false if no place is free
   */
  public boolean enterQueue(int ofPartition) {
    int most = settings.maxQueued();
    if (ofPartition >= Math.max(1, most / 2)) {
      return false;
    }
    if (queued.incrementAndGet() > most) {
      queued.decrementAndGet();
      return false;
    }
    return true;
  }

  /** Frees the places of writes that no longer wait. */
  public void leaveQueue(int writes) {
    queued.addAndGet(-writes);
  }

  private static boolean isOver(Duration left) {
    return left.isNegative() || left.isZero();
  }

  private static <T extends @Nullable Object> CompletionStage<T> notSent(String what) {
    return CompletableFuture.failedFuture(
        new KvException.Transient(
            what + " was not sent, its deadline has passed: try again with a longer time-out"));
  }

  private <T extends @Nullable Object> CompletionStage<T> send(
      String what, Statement<?> statement, boolean write, Function<AsyncResultSet, T> answer) {
    return execute(statement)
        .handle((result, error) -> answer.apply(result(what, result, error, write)));
  }

  private CompletionStage<AsyncResultSet> execute(Statement<?> statement) {
    if (closed) {
      return CompletableFuture.failedFuture(closedError());
    }
    try {
      return session.executeAsync(statement);
    } catch (IllegalStateException e) {
      return CompletableFuture.failedFuture(closed ? closedError() : e);
    }
  }

  /** Returns the native driver's result, or throws the error that it means. */
  private AsyncResultSet result(
      String what, @Nullable AsyncResultSet result, @Nullable Throwable error, boolean write) {
    if (result == null) {
      throw failure(what, Objects.requireNonNull(error), write);
    }
    for (String warning : result.getExecutionInfo().getWarnings()) {
      warnings.note(what, warning);
    }
    return result;
  }

  private KvException failure(String what, Throwable error, boolean write) {
    return write ? DriverErrors.ofWrite(what, error) : DriverErrors.ofRead(what, error);
  }

  private KvException closedError() {
    return new KvException.Permanent("the store " + settings + " is closed: open it again");
  }

  /**
   * Closes the session. Waits a moment for its threads to end, which does not help if the caller is
   * one of them.
   */
  @Override
  public void close() {
    closed = true;
    try {
      session
          .forceCloseAsync()
          .toCompletableFuture()
          .get(CLOSE_WAIT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      LOG.debug("the session of {} was slow to close", settings, e);
    }
  }
}
