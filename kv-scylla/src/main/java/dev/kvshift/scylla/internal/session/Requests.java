package dev.kvshift.scylla.internal.session;

import com.datastax.oss.driver.api.core.CqlIdentifier;
import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.DefaultConsistencyLevel;
import com.datastax.oss.driver.api.core.config.DefaultDriverOption;
import com.datastax.oss.driver.api.core.config.DriverExecutionProfile;
import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import com.datastax.oss.driver.api.core.cql.BatchStatement;
import com.datastax.oss.driver.api.core.cql.BatchStatementBuilder;
import com.datastax.oss.driver.api.core.cql.BoundStatement;
import com.datastax.oss.driver.api.core.cql.BoundStatementBuilder;
import com.datastax.oss.driver.api.core.cql.PreparedStatement;
import com.datastax.oss.driver.api.core.cql.Row;
import com.datastax.oss.driver.api.core.cql.SimpleStatement;
import com.datastax.oss.driver.api.core.cql.SimpleStatementBuilder;
import com.datastax.oss.driver.api.core.cql.Statement;
import com.datastax.oss.driver.api.core.cql.StatementBuilder;
import com.datastax.oss.driver.api.core.metadata.Node;
import com.datastax.oss.driver.api.core.metadata.TokenMap;
import com.datastax.oss.driver.api.core.metadata.token.Token;
import com.datastax.oss.driver.api.core.servererrors.InvalidQueryException;
import dev.kvshift.api.KvException;
import dev.kvshift.api.KvObserver;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Futures;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
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
 * errors to the contract's. Limits how many are in flight and waiting.
 */
public final class Requests implements AutoCloseable {
  private static final int PREPARE_TRIES = 10;
  private static final int PROTOCOL_WITH_FIXED_TIME = 5;
  private static final Duration PREPARE_AGAIN_AFTER = Duration.ofMillis(200);
  private static final Duration CLOSE_WAIT = Duration.ofSeconds(2);

  /**
   * The time for which a request waits for a connection if no node has one. A process that stood
   * still for longer than {@code heartbeat} has lost all of them at once; the native driver
   * connects again after 200 ms, 400 ms and so on.
   */
  private static final Duration RECONNECTING = Duration.ofSeconds(2);

  private static final Duration SEND_AGAIN_AFTER = Duration.ofMillis(100);

  /** Room for several of the largest pages and chunks, far more than small requests ever need. */
  private static final long MAX_BYTES_IN_FLIGHT = 64L << 20;

  private static final long MAX_BYTES_WAITING = 256L << 20;
  private static final Logger LOG = LoggerFactory.getLogger(Requests.class);

  private final CqlSession session;
  private final Settings settings;
  private final CqlIdentifier keyspace;
  private final DefaultConsistencyLevel serial;
  private final ServerWarnings warnings;
  private final boolean fixesTime;
  private final RequestLimiter limiter;
  private final AtomicInteger queued = new AtomicInteger();
  private volatile boolean closed;

  public Requests(CqlSession session, Settings settings) {
    this(session, settings, KvObserver.NONE);
  }

  public Requests(CqlSession session, Settings settings, KvObserver observer) {
    warnings = new ServerWarnings(settings.toString(), observer);
    this.session = session;
    this.settings = settings;
    limiter =
        new RequestLimiter(
            new RequestLimiter.Bounds(
                settings.maxInFlight(),
                settings.maxQueued(),
                MAX_BYTES_IN_FLIGHT,
                MAX_BYTES_WAITING));
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
            .setConsistencyLevel(committed()));
  }

  /** Prepares a read of what acknowledged conditional writes have left. */
  public CompletionStage<PreparedStatement> prepareCommittedRead(String cql) {
    return prepare(
        SimpleStatement.builder(cql).setIdempotence(true).setConsistencyLevel(committed()));
  }

  /**
   * Returns the level at which conditional writes are acknowledged: their quorums and those of
   * reads meet.
   */
  private DefaultConsistencyLevel committed() {
    return serial == DefaultConsistencyLevel.SERIAL
        ? DefaultConsistencyLevel.QUORUM
        : DefaultConsistencyLevel.LOCAL_QUORUM;
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
    return ended(prepared)
        .exceptionallyCompose(
            error ->
                Futures.unwrap(error) instanceof InvalidQueryException && attempt < PREPARE_TRIES
                    ? Futures.after(PREPARE_AGAIN_AFTER)
                        .thenCompose(waited -> prepare(statement, attempt + 1))
                    : CompletableFuture.failedFuture(
                        failure("preparing a statement", error, Kind.READ)));
  }

  /** Ends a preparation at its deadline, even if the native driver loses it. */
  private CompletionStage<PreparedStatement> ended(CompletionStage<PreparedStatement> prepared) {
    return prepared
        .thenApply(Function.identity())
        .toCompletableFuture()
        .orTimeout(settings.timeout().plus(RequestLimiter.GRACE).toMillis(), TimeUnit.MILLISECONDS);
  }

  /**
   * Routes a statement to a replica of its partition, even if the native driver cannot determine
   * it.
   */
  public <B extends StatementBuilder<B, ?>> B route(B statement, ByteBuffer... partitionKey) {
    return route(keyspace, statement, partitionKey);
  }

  /** Routes a statement to a replica of its partition in another keyspace. */
  public <B extends StatementBuilder<B, ?>> B route(
      CqlIdentifier keyspace, B statement, ByteBuffer... partitionKey) {
    Optional<TokenMap> tokens = session.getMetadata().getTokenMap();
    statement.setRoutingKeyspace(keyspace);
    if (tokens.isPresent()) {
      statement.setRoutingToken(tokens.get().newToken(partitionKey));
    }
    return statement;
  }

  /** Routes a statement to a replica of a token. */
  public BoundStatementBuilder route(BoundStatementBuilder statement, long token) {
    return route(keyspace, statement, token);
  }

  /** Routes a statement to a replica of a token in another keyspace. */
  public BoundStatementBuilder route(
      CqlIdentifier keyspace, BoundStatementBuilder statement, long token) {
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
    return submit(
        new Mapped<>(this, what, Kind.READ, call, Function.identity()), timed(statement, call));
  }

  /** Reads all rows of an answer, following its pages to the end. */
  public CompletionStage<List<Row>> readAll(String what, Statement<?> statement, Call call) {
    return readAll(what, statement, call, new ArrayList<>());
  }

  private CompletionStage<List<Row>> readAll(
      String what, Statement<?> statement, Call call, List<Row> rows) {
    return read(what, statement, call)
        .thenCompose(
            result -> {
              result.currentPage().forEach(rows::add);
              ByteBuffer more = result.getExecutionInfo().getPagingState();
              return more == null
                  ? CompletableFuture.completedFuture(rows)
                  : readAll(what, statement.setPagingState(more), call, rows);
            });
  }

  /**
   * Reads a page, possibly an empty one that is not the last. All other reads follow empty pages,
   * so that no row means that there is none.
   *
   * @param answerBytes expected size of the answer, which counts towards what is in flight
   */
  public CompletionStage<AsyncResultSet> read(
      String what, Statement<?> statement, Call call, long answerBytes) {
    Mapped<AsyncResultSet> answer = new Mapped<>(this, what, Kind.READ, call, Function.identity());
    answer.answerBytes(answerBytes);
    ((Answer<?>) answer).takesEmptyPages = true;
    return submit(answer, timed(statement, call));
  }

  /** Reads, and maps the result. */
  public <T extends @Nullable Object> CompletionStage<T> read(
      String what, BoundStatementBuilder statement, Call call, Function<AsyncResultSet, T> answer) {
    return submit(new Mapped<>(this, what, Kind.READ, call, answer), timed(statement, call));
  }

  /** Reads into the answer, which saves a stage on the hot path. */
  public <T extends @Nullable Object> CompletionStage<T> read(
      BoundStatementBuilder statement, Answer<T> answer) {
    return submit(answer, timed(statement, answer.call()));
  }

  public CompletionStage<AsyncResultSet> write(String what, Statement<?> statement, Call call) {
    return submit(
        new Mapped<>(this, what, Kind.WRITE, call, Function.identity()),
        timed(reachable(session, statement), call));
  }

  /** Sets the node of a conditional statement for which the native driver would find none. */
  static Statement<?> reachable(CqlSession session, Statement<?> statement) {
    if (!(statement instanceof BoundStatement bound) || !bound.getPreparedStatement().isLWT()) {
      return statement;
    }
    CqlIdentifier in = bound.getRoutingKeyspace();
    Token token = bound.getRoutingToken();
    Optional<TokenMap> tokens = session.getMetadata().getTokenMap();
    if (in == null || token == null || tokens.isEmpty()) {
      return statement;
    }
    Node node =
        ConditionalNode.instead(
            tokens.get().getReplicas(in, token), session.getMetadata().getNodes().values());
    return node == null ? statement : bound.setNode(node);
  }

  /** Writes, and maps the result. */
  public <T extends @Nullable Object> CompletionStage<T> write(
      String what,
      StatementBuilder<?, ?> statement,
      Call call,
      Function<AsyncResultSet, T> answer) {
    return submit(new Mapped<>(this, what, Kind.WRITE, call, answer), timed(statement, call));
  }

  private enum Kind {
    READ,
    WRITE
  }

  /** The stage of a request, completed by the native driver's callback itself. */
  public abstract static class Answer<T extends @Nullable Object> extends RequestLimiter.Request<T>
      implements BiConsumer<@Nullable AsyncResultSet, @Nullable Throwable> {
    private final Requests requests;
    private final String what;
    private final Kind kind;
    private @Nullable Statement<?> statement;
    private boolean takesEmptyPages;
    private long disconnectedNanos;
    private @Nullable Throwable lost;

    /**
     * Creates the answer of a read.
     *
     * @param answerBytes expected size of the answer, which counts towards what is in flight
     */
    protected Answer(Requests requests, String what, Call call, long answerBytes) {
      this(requests, what, Kind.READ, call);
      answerBytes(answerBytes);
    }

    private Answer(Requests requests, String what, Kind kind, Call call) {
      super(call);
      this.requests = requests;
      this.what = what;
      this.kind = kind;
    }

    /** Completes this stage from the result, now or later. */
    protected abstract void take(AsyncResultSet result);

    @Override
    final void send(boolean hasWaited) {
      Statement<?> ready = Objects.requireNonNull(statement);
      requests
          .session
          .executeAsync(hasWaited ? requests.timed(ready, call()) : ready)
          .whenComplete(this);
    }

    @Override
    public final void accept(@Nullable AsyncResultSet result, @Nullable Throwable error) {
      if (error != null && isSentAgain(error)) {
        return;
      }
      if (!requests.limiter.leave(this)) {
        return;
      }
      try {
        if (result == null) {
          fail(Objects.requireNonNull(error));
        } else {
          requests.noteWarnings(what, result);
          ByteBuffer more = result.getExecutionInfo().getPagingState();
          if (more == null || takesEmptyPages || result.remaining() > 0) {
            take(result);
          } else {
            follow(more);
          }
        }
      } catch (Throwable e) { // or the stage would never end
        completeExceptionally(e);
      } finally {
        requests.limiter.drain();
      }
    }

    /**
     * Sends an idempotent request again in a moment if no node had a connection for it, unless that
     * has lasted too long. It stays in flight meanwhile, so that its deadline and the limits hold.
     * A write that may have been sent before its connection was lost stays unknown, whatever comes
     * of the later attempts, unless one of them succeeds.
     */
    private boolean isSentAgain(Throwable error) {
      if (!Boolean.TRUE.equals(Objects.requireNonNull(statement).isIdempotent())
          || !DriverErrors.isOfNoConnection(error)) {
        return false;
      }
      long nowNanos = System.nanoTime();
      if (disconnectedNanos == 0) {
        disconnectedNanos = nowNanos;
      }
      if (lost == null && !DriverErrors.isOfNothingSent(Futures.unwrap(error))) {
        lost = error;
      }
      if (nowNanos - disconnectedNanos >= RECONNECTING.toNanos()
          || call().remaining().compareTo(SEND_AGAIN_AFTER) <= 0) {
        return false;
      }
      Futures.after(SEND_AGAIN_AFTER).thenRun(() -> requests.limiter.sendAgain(this));
      return true;
    }

    /** Requests the next page after an empty one: ScyllaDB ends pages after 10,000 tombstones. */
    private void follow(ByteBuffer more) {
      statement = requests.timed(Objects.requireNonNull(statement).setPagingState(more), call());
      requests.limiter.submit(this);
    }

    @Override
    final void fail(Throwable error) {
      if (lost != null && (kind == Kind.WRITE || DriverErrors.isOfNoConnection(error))) {
        completeExceptionally(requests.failure(what, lost, kind));
      } else {
        completeExceptionally(
            error instanceof IllegalStateException && requests.closed
                ? requests.closedError()
                : requests.failure(what, error, kind));
      }
    }

    @Override
    final void end(RequestLimiter.Ending ending) {
      completeExceptionally(requests.error(ending, what, kind));
    }
  }

  /** An answer that is mapped. */
  private static final class Mapped<T extends @Nullable Object> extends Answer<T> {
    private final Function<AsyncResultSet, T> map;

    Mapped(Requests requests, String what, Kind kind, Call call, Function<AsyncResultSet, T> map) {
      super(requests, what, kind, call);
      this.map = map;
    }

    @Override
    protected void take(AsyncResultSet result) {
      complete(map.apply(result));
    }
  }

  private <T extends @Nullable Object> Answer<T> submit(Answer<T> answer, Statement<?> statement) {
    answer.statement = statement;
    answer.requestBytes(bytes(statement));
    limiter.submit(answer);
    return answer;
  }

  /** Returns the size of a statement's values. */
  private static long bytes(Statement<?> statement) {
    long sum = 0;
    if (statement instanceof BoundStatement bound) {
      for (int i = 0; i < bound.size(); i++) {
        ByteBuffer value = bound.getBytesUnsafe(i);
        sum += value == null ? 0 : value.remaining();
      }
    } else if (statement instanceof BatchStatement batch) {
      for (Statement<?> each : batch) {
        sum += bytes(each);
      }
    }
    return sum;
  }

  /** Sets the time-out. The native driver ignores that of a batch, but not that of its profile. */
  private <S extends Statement<S>, B extends StatementBuilder<B, S>> S timed(
      StatementBuilder<B, S> statement, Call call) {
    return statement instanceof BatchStatementBuilder
        ? statement.setExecutionProfile(profile(call)).build()
        : statement.setTimeout(timeout(call)).build();
  }

  private Statement<?> timed(Statement<?> statement, Call call) {
    return statement instanceof BatchStatement
        ? statement.setExecutionProfile(profile(call))
        : statement.setTimeout(timeout(call));
  }

  private DriverExecutionProfile profile(Call call) {
    return session
        .getContext()
        .getConfig()
        .getDefaultProfile()
        .withDuration(DefaultDriverOption.REQUEST_TIMEOUT, timeout(call));
  }

  /** Returns the time until the deadline. The native driver accepts no negative time-out. */
  private static Duration timeout(Call call) {
    Duration left = call.remaining();
    return left.isNegative() ? Duration.ZERO : left;
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

  private void noteWarnings(String what, AsyncResultSet result) {
    for (String warning : result.getExecutionInfo().getWarnings()) {
      warnings.note(what, warning);
    }
  }

  private KvException failure(String what, Throwable error, Kind kind) {
    return kind == Kind.WRITE
        ? DriverErrors.ofWrite(what, error)
        : DriverErrors.ofRead(what, error);
  }

  private KvException error(RequestLimiter.Ending ending, String what, Kind kind) {
    return switch (ending) {
      case REFUSED ->
          new KvException.Overloaded(
              what
                  + " was not sent, too many requests are in flight and waiting (maxInFlight,"
                  + " maxQueued): back off and try again");
      case NOT_SENT ->
          new KvException.Transient(
              what + " was not sent, its deadline has passed: try again with a longer time-out");
      case NOT_ANSWERED -> unanswered(what + " had no answer by its deadline", kind);
      case CLOSED -> closedError();
      case CLOSED_IN_FLIGHT -> unanswered(what + " had no answer when the store was closed", kind);
    };
  }

  private static KvException unanswered(String text, Kind kind) {
    return kind == Kind.WRITE
        ? new KvException.UnknownOutcome(
            text + " and may have been applied: read back or write again")
        : new KvException.Transient(text + ": try again");
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
    limiter.close();
    try {
      session
          .forceCloseAsync()
          .toCompletableFuture()
          .get(CLOSE_WAIT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      LOG.debug("the session of {} was slow to close", settings, e);
    } finally {
      limiter.endInFlight();
    }
  }
}
