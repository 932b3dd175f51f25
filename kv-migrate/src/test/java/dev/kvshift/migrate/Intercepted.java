package dev.kvshift.migrate;

import dev.kvshift.spi.ChangeSource;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Metadata;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.concurrent.CompletionStage;

/** A real store whose every request passes through a test's fault first. */
final class Intercepted {
  private static final List<Class<?>> FACES =
      List.of(Store.class, StoreCollection.class, Gate.class, ChangeSource.class, Metadata.class);

  private Intercepted() {}

  /** Decides what becomes of a request. */
  interface Fault {
    /** Returns the answer: the request's own, another, or a failed one. */
    CompletionStage<?> around(Class<?> face, String method, Object[] arguments, Request request);
  }

  /** The request, which may be sent once, or not. */
  interface Request {
    CompletionStage<?> send();
  }

  static Store of(Store real, Fault fault) {
    return (Store) wrap(Store.class, real, fault);
  }

  private static Object wrap(Class<?> face, Object real, Fault fault) {
    return Proxy.newProxyInstance(
        face.getClassLoader(),
        new Class<?>[] {face},
        (proxy, method, arguments) -> {
          if (!CompletionStage.class.isAssignableFrom(method.getReturnType())) {
            return wrapAnswer(call(real, method, arguments), fault);
          }
          Object[] given = arguments == null ? new Object[0] : arguments;
          return fault
              .around(
                  face,
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
    for (Class<?> face : FACES) {
      if (face.isInstance(answer)) {
        return wrap(face, answer, fault);
      }
    }
    return answer;
  }
}
