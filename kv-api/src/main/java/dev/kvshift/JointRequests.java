package dev.kvshift;

import dev.kvshift.api.Bytes;
import dev.kvshift.spi.Futures;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The requests of a call for several keys. Those of one main key are sent to the store together, so
 * that it can read or write the rows of a partition at once.
 *
 * <p>The first operation of a group that is sent sends the others too, and then the requests that
 * these have made. So a request is only ever part of an operation that counts as sent. Otherwise an
 * operation that has ended unsent, because its deadline had passed, would report that nothing was
 * written although it was.
 *
 * <p>Operations are added by one thread, before the first one is sent. Any thread may send.
 */
final class JointRequests<Q, A extends @Nullable Object> {
  /** Maximum number of requests that are sent together. */
  static final int MAX_KEYS = 100;

  private final Function<Q, CompletionStage<A>> alone;
  private final Function<List<Q>, List<CompletionStage<A>>> together;
  private final Map<Bytes, Group> open = new HashMap<>();

  /**
   * Creates the requests of a call.
   *
   * @param alone sends one request
   * @param together sends several, and returns their stages in the same order
   */
  JointRequests(
      Function<Q, CompletionStage<A>> alone, Function<List<Q>, List<CompletionStage<A>>> together) {
    this.alone = alone;
    this.together = together;
  }

  /**
   * Adds an operation.
   *
   * @param prepare returns the operation, which makes its request by the given function
   */
  <T extends @Nullable Object> Pending<T> add(
      Bytes main, Function<Function<Q, CompletionStage<A>>, Pending<T>> prepare) {
    Group group =
        open.compute(
            main,
            (key, last) -> last == null || last.operations.size() == MAX_KEYS ? new Group() : last);
    Pending<T> operation = prepare.apply(group::send);
    group.operations.add(operation);
    return operation;
  }

  /** Operations that are sent together, with the first of them that is sent. */
  private final class Group {
    private final List<Pending<?>> operations = new ArrayList<>(1);
    private final List<Q> requests = new ArrayList<>();
    private final List<CompletableFuture<A>> answers = new ArrayList<>();
    private boolean areSent;

    CompletionStage<A> send(Q request) {
      CompletableFuture<A> answer = new CompletableFuture<>();
      if (operations.size() == 1 || !isAdded(request, answer)) {
        return alone.apply(request);
      }
      return answer;
    }

    /** Adds a request, unless another thread has sent the others meanwhile. */
    private boolean isAdded(Q request, CompletableFuture<A> answer) {
      synchronized (this) {
        if (areSent) {
          return false;
        }
        requests.add(request);
        answers.add(answer);
        if (requests.size() > 1) {
          return true;
        }
      }
      operations.forEach(Pending::sendInTime);
      synchronized (this) {
        areSent = true;
      }
      sendRequests();
      return true;
    }

    private void sendRequests() {
      List<CompletionStage<A>> sent;
      try {
        sent = together.apply(requests);
      } catch (Throwable e) { // or what waits for the answers would never end
        answers.forEach(answer -> answer.completeExceptionally(e));
        return;
      }
      for (int i = 0; i < answers.size(); i++) {
        CompletableFuture<A> answer = answers.get(i);
        int index = i;
        Futures.<A>start(() -> sent.get(index))
            .whenComplete(
                (value, error) -> {
                  if (error == null) {
                    answer.complete(value);
                  } else {
                    answer.completeExceptionally(error);
                  }
                });
      }
    }
  }
}
