package dev.kvshift.scylla;

import static dev.kvshift.scylla.TestStores.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datastax.oss.driver.api.core.AllNodesFailedException;
import com.datastax.oss.driver.api.core.DefaultConsistencyLevel;
import com.datastax.oss.driver.api.core.DriverTimeoutException;
import com.datastax.oss.driver.api.core.NoNodeAvailableException;
import com.datastax.oss.driver.api.core.NodeUnavailableException;
import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import com.datastax.oss.driver.api.core.cql.Statement;
import com.datastax.oss.driver.api.core.metadata.Node;
import com.datastax.oss.driver.api.core.servererrors.InvalidQueryException;
import com.datastax.oss.driver.api.core.servererrors.OverloadedException;
import com.datastax.oss.driver.api.core.servererrors.ServerError;
import com.datastax.oss.driver.api.core.servererrors.UnauthorizedException;
import com.datastax.oss.driver.api.core.servererrors.UnavailableException;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Lock;
import dev.kvshift.api.LockResult;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Metadata;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreLocks;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The outcome of conditional statements whose answers do not show it. */
final class ConditionalStatementsTest {
  private static final Bytes A = Bytes.utf8("a");
  private static final Bytes B = Bytes.utf8("b");
  private static final Bytes C = Bytes.utf8("c");
  private static final String NAME = "box/record";
  private static final Set<Bytes> KEY = Set.of(Bytes.utf8("key"));
  private static final Duration LEASE = Duration.ofMinutes(1);

  private final String keyspace = TestStores.newKeyspace();
  private final AtomicInteger sent = new AtomicInteger();
  private Store other;
  private Store store;
  private Answer answer = (statement, send) -> send.apply(statement);
  private Answer again = answer;

  /** The fate of the first conditional statement after this was set. */
  private interface Answer {
    CompletionStage<AsyncResultSet> of(
        Statement<?> statement, Function<Statement<?>, CompletionStage<AsyncResultSet>> send);
  }

  private enum Refusal {
    UNAVAILABLE {
      @Override
      Throwable by(Node node) {
        return new UnavailableException(node, DefaultConsistencyLevel.SERIAL, 2, 1);
      }
    },
    OVERLOADED {
      @Override
      Throwable by(Node node) {
        return new OverloadedException(node);
      }
    },
    SERVER_ERROR {
      @Override
      Throwable by(Node node) {
        return new ServerError(node, "broken");
      }
    },
    INVALID {
      @Override
      Throwable by(Node node) {
        return new InvalidQueryException(node, "wrong");
      }
    },
    TIMEOUT {
      @Override
      Throwable by(Node node) {
        return new DriverTimeoutException("the answer is lost");
      }
    };

    abstract Throwable by(Node node);
  }

  @BeforeEach
  void open() {
    other = TestStores.open(keyspace);
    claimSpace();
    store =
        TestStores.open(
            keyspace,
            (statement, send) -> {
              if (!isConditional(statement)) {
                return send.apply(statement);
              }
              return (sent.incrementAndGet() == 1 ? answer : again).of(statement, send);
            });
  }

  /** Takes a lock, since the first one of a space claims that by a statement of its own. */
  private void claimSpace() {
    await(other.locks("space").tryLockAll(Set.of(Bytes.utf8("another key")), LEASE, call()));
  }

  @AfterEach
  void close() {
    store.close();
    other.close();
  }

  @ParameterizedTest
  @EnumSource(Refusal.class)
  void compareAndSet_appliedAndAnsweredByAnError_isTrue(Refusal refusal) {
    answerFirst((statement, send) -> send.apply(statement).thenCompose(done -> failed(refusal)));
    assertThat(await(store.metadata().compareAndSet(NAME, null, A))).isTrue();
    assertThat(sent).hasValue(1);
    assertThat(await(other.metadata().get(NAME))).isEqualTo(A);
  }

  @ParameterizedTest
  @EnumSource(Refusal.class)
  void tryLock_appliedAndAnsweredByAnError_isAcquired(Refusal refusal) {
    answerFirst((statement, send) -> send.apply(statement).thenCompose(done -> failed(refusal)));
    assertThat(lock(store).acquired()).hasSize(1);
    assertThat(sent).hasValue(1);
    assertThat(lock(other).busy()).isEqualTo(KEY);
  }

  @ParameterizedTest
  @EnumSource(Refusal.class)
  void release_appliedAndAnsweredByAnError_isReleased(Refusal refusal) {
    Lock lock = lock(store).acquired().iterator().next();
    answerFirst((statement, send) -> send.apply(statement).thenCompose(done -> failed(refusal)));
    await(store.locks("space").release(lock, call()));
    assertThat(sent).hasValue(1);
    assertThat(lock(other).acquired()).hasSize(1);
  }

  @Test
  void compareAndSet_unavailableAndNotApplied_isSentAgain() {
    answerFirst((statement, send) -> failed(Refusal.UNAVAILABLE));
    assertThat(await(store.metadata().compareAndSet(NAME, null, A))).isTrue();
    assertThat(sent).hasValue(2);
  }

  @Test
  void compareAndSet_refused_isPermanentAndSentOnce() {
    answerFirst(
        (statement, send) ->
            CompletableFuture.failedFuture(new UnauthorizedException(node(), "not you")));
    assertThatThrownBy(() -> await(store.metadata().compareAndSet(NAME, null, A)))
        .isInstanceOf(KvException.Permanent.class);
    assertThat(sent).hasValue(1);
  }

  @Test
  void compareAndSet_neverSent_isTransientAndNotReadBack() {
    List<Throwable> errors =
        List.of(
            new NoNodeAvailableException(),
            AllNodesFailedException.fromErrors(
                List.of(Map.entry(node(), new NodeUnavailableException(node())))));
    for (Throwable error : errors) {
      answerFirst((statement, send) -> CompletableFuture.failedFuture(error));
      assertThatThrownBy(() -> await(store.metadata().compareAndSet(NAME, null, A)))
          .isInstanceOf(KvException.Transient.class);
      assertThat(sent).hasValue(1);
    }
  }

  @Test
  void compareAndSet_changedBackByOthers_isUnknownAndNotRepeated() {
    assertThat(await(store.metadata().compareAndSet(NAME, null, A))).isTrue();
    answerFirst(
        (statement, send) ->
            send.apply(statement)
                .thenCompose(done -> other.metadata().compareAndSet(NAME, B, A))
                .thenCompose(done -> failed(Refusal.TIMEOUT)));
    assertThatThrownBy(() -> await(store.metadata().compareAndSet(NAME, A, B)))
        .isInstanceOf(KvException.UnknownOutcome.class);
    assertThat(sent).hasValue(1);
    assertThat(await(other.metadata().get(NAME))).isEqualTo(A);
  }

  /** The first statement may have been applied and replaced, which the second one cannot show. */
  @Test
  void compareAndSet_changedByOthersBeforeItIsSentAgain_isUnknown() {
    assertThat(await(store.metadata().compareAndSet(NAME, null, A))).isTrue();
    again =
        (statement, send) ->
            other
                .metadata()
                .compareAndSet(NAME, A, C)
                .thenCompose(changed -> send.apply(statement));
    answerFirst((statement, send) -> failed(Refusal.TIMEOUT));
    assertThatThrownBy(() -> await(store.metadata().compareAndSet(NAME, A, B)))
        .isInstanceOf(KvException.UnknownOutcome.class);
    assertThat(sent).hasValue(2);
    assertThat(await(other.metadata().get(NAME))).isEqualTo(C);
  }

  @Test
  void compareAndSet_statementArrivesLate_changesNothing() {
    assertThat(await(store.metadata().compareAndSet(NAME, null, A))).isTrue();
    CompletableFuture<Void> arrival = new CompletableFuture<>();
    CompletableFuture<AsyncResultSet> late = new CompletableFuture<>();
    answerFirst(
        (statement, send) -> {
          arrival.thenCompose(arrived -> send.apply(statement).thenAccept(late::complete));
          return failed(Refusal.TIMEOUT);
        });
    assertThat(await(store.metadata().compareAndSet(NAME, A, B))).isTrue();
    Metadata metadata = other.metadata();
    assertThat(await(metadata.compareAndSet(NAME, B, A))).isTrue();
    arrival.complete(null);
    assertThat(late.join().wasApplied()).isFalse();
    assertThat(await(metadata.get(NAME))).isEqualTo(A);
  }

  @Test
  void compareAndSet_recordComesBackBetweenReadAndWrite_isApplied() {
    assertThat(await(store.metadata().compareAndSet(NAME, null, A))).isTrue();
    Metadata metadata = other.metadata();
    answerFirst(
        (statement, send) ->
            metadata
                .compareAndSet(NAME, A, B)
                .thenCompose(done -> metadata.compareAndSet(NAME, B, A))
                .thenCompose(done -> send.apply(statement)));
    assertThat(await(store.metadata().compareAndSet(NAME, A, B))).isTrue();
    assertThat(await(metadata.get(NAME))).isEqualTo(B);
  }

  private static boolean isConditional(Statement<?> statement) {
    String query = InterceptedSession.query(statement);
    return query.startsWith("UPDATE") && query.contains(" IF ");
  }

  private void answerFirst(Answer how) {
    answer = how;
    sent.set(0);
  }

  /** Returns a node for the native driver's errors, which only print it. */
  private static Node node() {
    return (Node)
        Proxy.newProxyInstance(
            Node.class.getClassLoader(),
            new Class<?>[] {Node.class},
            (proxy, method, arguments) ->
                switch (method.getName()) {
                  case "toString" -> "a node";
                  case "hashCode" -> System.identityHashCode(proxy);
                  case "equals" -> proxy == arguments[0];
                  default -> null;
                });
  }

  private static CompletableFuture<AsyncResultSet> failed(Refusal refusal) {
    return CompletableFuture.failedFuture(refusal.by(node()));
  }

  private static LockResult lock(Store by) {
    StoreLocks locks = by.locks("space");
    return await(locks.tryLockAll(KEY, LEASE, call()));
  }

  private static Call call() {
    return Call.within(Duration.ofSeconds(10));
  }
}
