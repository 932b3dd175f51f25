package dev.kvshift.migrate;

import dev.kvshift.spi.ChangeSource;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Metadata;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** A store whose requests pass through a fault of the test before they are sent. */
final class Intercepted {
  private static final Executor LATER = CompletableFuture.delayedExecutor(1, TimeUnit.MILLISECONDS);
  private static final List<Class<?>> INTERFACES =
      List.of(Store.class, StoreCollection.class, Gate.class, ChangeSource.class, Metadata.class);

  private Intercepted() {}

  /** Decides about each request: sends it, answers it, or fails it. */
  interface Fault {
    /** Returns the answer to the request. */
    CompletionStage<?> around(Class<?> type, String method, Object[] arguments, Request request);

    /** Called before each method that answers at once; may throw what the method shall throw. */
    default void local(String method, Object[] arguments) {}

    /** Returns the answer of a method that answers at once, in place of the store's own. */
    default Object answered(String method, Object answer) {
      return answer;
    }
  }

  /** A request, sent at most once. */
  interface Request {
    CompletionStage<?> send();
  }

  static Store of(Store real, Fault fault) {
    return (Store) wrap(Store.class, real, fault);
  }

  /** Returns the fault with every answer on another thread, a moment later. */
  static Fault late(Fault fault) {
    return new Fault() {
      @Override
      public CompletionStage<?> around(
          Class<?> type, String method, Object[] arguments, Request request) {
        return later(fault.around(type, method, arguments, request));
      }

      @Override
      public void local(String method, Object[] arguments) {
        fault.local(method, arguments);
      }
    };
  }

  private static <T> CompletionStage<T> later(CompletionStage<T> answer) {
    CompletableFuture<T> late = new CompletableFuture<>();
    answer.whenCompleteAsync(
        (value, failed) -> {
          if (failed == null) {
            late.complete(value);
          } else {
            late.completeExceptionally(Futures.unwrap(failed));
          }
        },
        LATER);
    return late;
  }

  private static Object wrap(Class<?> type, Object real, Fault fault) {
    return Proxy.newProxyInstance(
        type.getClassLoader(),
        new Class<?>[] {type},
        (proxy, method, arguments) -> {
          if (method.getName().equals("equals")) {
            return proxy == arguments[0];
          }
          if (method.getName().equals("serverTimes")) {
            return List.<Supplier<CompletionStage<Instant>>>of(((Store) proxy)::serverTime);
          }
          Object[] given = arguments == null ? new Object[0] : arguments;
          if (!CompletionStage.class.isAssignableFrom(method.getReturnType())) {
            fault.local(method.getName(), given);
            Object answer = fault.answered(method.getName(), call(real, method, arguments));
            Class<?> answered = method.getReturnType();
            return INTERFACES.contains(answered) ? wrap(answered, answer, fault) : answer;
          }
          return fault
              .around(
                  type,
                  method.getName(),
                  given,
                  () -> {
                    try {
                      return (CompletionStage<?>) call(real, method, arguments);
                    } catch (RuntimeException | Error e) {
                      throw e;
                    } catch (Throwable e) {
                      throw new IllegalStateException(e);
                    }
                  })
              .thenApply(answer -> wrapAnswer(answer, fault));
        });
  }

  private static Object call(Object real, Method method, Object[] arguments) throws Throwable {
    try {
      return method.invoke(real, arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }

  private static Object wrapAnswer(Object answer, Fault fault) {
    for (Class<?> type : INTERFACES) {
      if (type.isInstance(answer)) {
        return wrap(type, answer, fault);
      }
    }
    return answer;
  }
}
