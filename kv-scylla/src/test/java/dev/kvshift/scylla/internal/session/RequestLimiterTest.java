package dev.kvshift.scylla.internal.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.kvshift.scylla.internal.session.RequestLimiter.Ending;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Futures;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Requests whose native driver answers, fails, throws, or says nothing. */
final class RequestLimiterTest {
  private static final long START = System.nanoTime() + Duration.ofHours(1).toNanos();
  private static final int MANY = 10_000;

  private final List<Sent> sent = new ArrayList<>();
  private @Nullable RequestLimiter opened;

  /** Why a request failed. */
  private static final class Ended extends RuntimeException {
    private static final long serialVersionUID = 1L;
    final Ending ending;

    Ended(Ending ending) {
      this.ending = ending;
    }
  }

  private final class Sent extends RequestLimiter.Request<String> {
    private final RequestLimiter limiter;
    private final Consumer<Sent> driver;

    Sent(RequestLimiter limiter, long deadlineNanos, Consumer<Sent> driver) {
      super(Call.until(deadlineNanos));
      this.limiter = limiter;
      this.driver = driver;
    }

    @Override
    void send(boolean hasWaited) {
      sent.add(this);
      driver.accept(this);
    }

    void answer() {
      if (limiter.leave(this)) {
        complete("answered");
        limiter.drain();
      }
    }

    @Override
    void fail(Throwable error) {
      completeExceptionally(error);
    }

    @Override
    void end(Ending ending) {
      completeExceptionally(new Ended(ending));
    }

    @Nullable Ending ending() {
      if (!isDone()) {
        return null;
      }
      Throwable error = Futures.unwrap(catchThrowable(this::join));
      return error instanceof Ended ended ? ended.ending : null;
    }
  }

  private RequestLimiter limiter(int inFlight, int waiting) {
    return limiter(new RequestLimiter.Bounds(inFlight, waiting, Long.MAX_VALUE, Long.MAX_VALUE));
  }

  private RequestLimiter limiter(RequestLimiter.Bounds bounds) {
    opened = new RequestLimiter(bounds);
    return opened;
  }

  @AfterEach
  void close() {
    if (opened != null) {
      opened.close();
      opened.endInFlight();
    }
  }

  /** A native driver that does not answer. */
  private static void silent(Sent request) {
    assertThat(request.isDone()).isFalse();
  }

  private Sent submit(RequestLimiter limiter, Consumer<Sent> driver) {
    return submit(limiter, START, driver);
  }

  private Sent submit(RequestLimiter limiter, long deadlineNanos, Consumer<Sent> driver) {
    Sent request = new Sent(limiter, deadlineNanos, driver);
    limiter.submit(request);
    return request;
  }

  @Test
  void submit_oneInFlight_othersWaitInOrder() {
    RequestLimiter limiter = limiter(1, 10);
    List<Sent> all =
        Stream.generate(() -> submit(limiter, RequestLimiterTest::silent)).limit(3).toList();
    assertThat(sent).containsExactly(all.get(0));
    all.get(0).answer();
    assertThat(sent).containsExactly(all.get(0), all.get(1));
    all.get(1).answer();
    all.get(2).answer();
    assertThat(sent).containsExactlyElementsOf(all);
    assertThat(all).allMatch(request -> request.join().equals("answered"));
    assertThat(limiter.size()).isZero();
  }

  @Test
  void submit_manyAtOnce_asManyAsAllowedAreInFlight() {
    RequestLimiter limiter = limiter(4, MANY);
    List<Sent> all =
        Stream.generate(() -> submit(limiter, RequestLimiterTest::silent)).limit(MANY).toList();
    for (int answered = 0; answered < 100; answered++) {
      assertThat(sent).containsExactlyElementsOf(all.subList(0, 4 + answered));
      all.get(answered).answer();
    }
  }

  @Test
  void submit_moreBytesThanAllowedInFlight_waits() {
    RequestLimiter limiter = limiter(new RequestLimiter.Bounds(10, 10, 100, 1_000));
    Sent first = submit(limiter, 40, 60);
    Sent second = submit(limiter, 1, 0);
    assertThat(sent).containsExactly(first);
    first.answer();
    Sent third = submit(limiter, 0, 99);
    Sent fourth = submit(limiter, 0, 1);
    assertThat(sent).containsExactly(first, second, third);
    second.answer();
    assertThat(sent).containsExactly(first, second, third, fourth);
  }

  @Test
  void submit_largerThanAllAllowed_isSentAlone() {
    RequestLimiter limiter = limiter(new RequestLimiter.Bounds(10, 10, 100, 1_000));
    Sent small = submit(limiter, 1, 0);
    Sent large = submit(limiter, 101, 0);
    Sent behind = submit(limiter, 1, 0);
    assertThat(sent).containsExactly(small);
    small.answer();
    assertThat(sent).containsExactly(small, large);
    large.answer();
    assertThat(sent).containsExactly(small, large, behind);
  }

  @Test
  void submit_moreBytesThanMayWait_isRefusedAndLaterTaken() {
    RequestLimiter limiter = limiter(new RequestLimiter.Bounds(1, 10, 1_000, 100));
    Sent first = submit(limiter, 1, 0);
    Sent second = submit(limiter, 100, 1_000);
    assertThat(submit(limiter, 1, 0).ending()).isEqualTo(Ending.REFUSED);
    first.answer();
    Sent third = submit(limiter, 100, 0);
    assertThat(third.isDone()).isFalse();
    second.answer();
    third.answer();
    assertThat(sent).containsExactly(first, second, third);
    assertThat(limiter.size()).isZero();
  }

  private Sent submit(RequestLimiter limiter, long requestBytes, long answerBytes) {
    Sent request = new Sent(limiter, START, RequestLimiterTest::silent);
    request.requestBytes(requestBytes);
    request.answerBytes(answerBytes);
    limiter.submit(request);
    return request;
  }

  @Test
  void submit_placesAndQueueFull_isRefusedAndLaterTaken() {
    RequestLimiter limiter = limiter(1, 1);
    Sent first = submit(limiter, RequestLimiterTest::silent);
    Sent second = submit(limiter, RequestLimiterTest::silent);
    assertThat(submit(limiter, RequestLimiterTest::silent).ending()).isEqualTo(Ending.REFUSED);
    first.answer();
    Sent third = submit(limiter, RequestLimiterTest::silent);
    second.answer();
    third.answer();
    assertThat(third.join()).isEqualTo("answered");
    assertThat(limiter.size()).isZero();
  }

  @Test
  void drain_thousandsFailAtOnce_doesNotRecurse() {
    RequestLimiter limiter = limiter(4, MANY);
    List<Sent> silent =
        Stream.generate(() -> submit(limiter, RequestLimiterTest::silent)).limit(4).toList();
    List<Sent> waiting = Stream.generate(() -> submit(limiter, Sent::answer)).limit(MANY).toList();
    assertThat(waiting).noneMatch(Sent::isDone);
    silent.get(0).answer();
    assertThat(waiting).allMatch(Sent::isDone);
    assertThat(limiter.size()).isEqualTo(3);
  }

  @Test
  void send_throwsAnError_failsAndGivesThePlaceBack() {
    RequestLimiter limiter = limiter(1, MANY);
    Sent first = submit(limiter, RequestLimiterTest::silent);
    List<Sent> waiting =
        Stream.generate(
                () ->
                    submit(
                        limiter,
                        request -> {
                          throw new NoClassDefFoundError("missing");
                        }))
            .limit(MANY)
            .toList();
    first.answer();
    assertThat(waiting)
        .allSatisfy(
            request ->
                assertThat(Futures.unwrap(catchThrowable(request::join)))
                    .isInstanceOf(NoClassDefFoundError.class));
    assertThat(limiter.size()).isZero();
  }

  @Test
  void endLate_waitingAtItsDeadline_isEndedAsNotSent() {
    RequestLimiter limiter = limiter(1, 10);
    Sent first = submit(limiter, START + 1_000_000_000L, RequestLimiterTest::silent);
    Sent waiting = submit(limiter, RequestLimiterTest::silent);
    limiter.endLate(START - 1);
    assertThat(waiting.isDone()).isFalse();
    limiter.endLate(START);
    assertThat(waiting.ending()).isEqualTo(Ending.NOT_SENT);
    assertThat(limiter.size()).isEqualTo(1);
    first.answer();
    assertThat(sent).containsExactly(first);
    assertThat(limiter.size()).isZero();
  }

  @Test
  void endLate_inFlightAfterTheGrace_isEndedAndItsPlaceGivenBackOnce() {
    RequestLimiter limiter = limiter(1, 10);
    Sent first = submit(limiter, RequestLimiterTest::silent);
    Sent second =
        submit(limiter, START + Duration.ofHours(1).toNanos(), RequestLimiterTest::silent);
    long end = START + RequestLimiter.GRACE.toNanos();
    limiter.endLate(end - 1);
    assertThat(first.isDone()).isFalse();
    limiter.endLate(end);
    assertThat(first.ending()).isEqualTo(Ending.NOT_ANSWERED);
    assertThat(sent).containsExactly(first, second);
    first.answer();
    assertThat(limiter.size()).isEqualTo(1);
    Sent third = submit(limiter, RequestLimiterTest::silent);
    assertThat(sent).doesNotContain(third);
    second.answer();
    assertThat(sent).containsExactly(first, second, third);
  }

  @Test
  void watchdog_nothingIsAnswered_endsEveryRequestByItself() {
    RequestLimiter limiter = limiter(4, MANY);
    long deadline = System.nanoTime() + Duration.ofMillis(50).toNanos();
    List<Sent> all =
        Stream.generate(() -> submit(limiter, deadline, RequestLimiterTest::silent))
            .limit(MANY)
            .toList();
    assertThat(all)
        .allSatisfy(
            request ->
                assertThat(Futures.unwrap(catchThrowable(request::join)))
                    .isInstanceOf(Ended.class));
    assertThat(limiter.size()).isZero();
  }

  @Test
  void close_waitingAndInFlight_areEnded() {
    RequestLimiter limiter = limiter(1, 10);
    Sent first = submit(limiter, RequestLimiterTest::silent);
    Sent waiting = submit(limiter, RequestLimiterTest::silent);
    limiter.close();
    assertThat(waiting.ending()).isEqualTo(Ending.CLOSED);
    assertThat(submit(limiter, RequestLimiterTest::silent).ending()).isEqualTo(Ending.CLOSED);
    assertThat(first.isDone()).isFalse();
    limiter.endInFlight();
    assertThat(first.ending()).isEqualTo(Ending.CLOSED_IN_FLIGHT);
    assertThat(sent).containsExactly(first);
    assertThat(limiter.size()).isZero();
  }
}
