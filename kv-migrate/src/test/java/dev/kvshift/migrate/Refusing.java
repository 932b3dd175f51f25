package dev.kvshift.migrate;

import dev.kvshift.api.KvException;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.StoreKey;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BiPredicate;

/**
 * A store that can never hold some rows: its local check refuses them, and so do its requests, as a
 * driver's do.
 */
final class Refusing implements Intercepted.Fault {
  static final String REASON = "value of 1048577 bytes, the limit is 1048576: make it shorter";

  private final BiPredicate<StoreKey, Mutation> refused;
  private volatile boolean on = true;

  private Refusing(BiPredicate<StoreKey, Mutation> refused) {
    this.refused = refused;
  }

  /** Returns a fault that refuses every request for a key. */
  static Refusing key(StoreKey key) {
    return new Refusing((asked, mutation) -> asked.equals(key));
  }

  /** Returns a fault that refuses every request. */
  static Refusing everyKey() {
    return new Refusing((asked, mutation) -> true);
  }

  /** Returns a fault that refuses the values of a key, but not its deletes. */
  static Refusing valuesOf(StoreKey key) {
    return new Refusing((asked, mutation) -> asked.equals(key) && mutation.value() != null);
  }

  void turn(boolean newOn) {
    on = newOn;
  }

  @Override
  public void local(String method, Object[] arguments) {
    if (method.equals("check")) {
      check((StoreKey) arguments[0], (Mutation) arguments[1]);
    }
  }

  @Override
  public CompletionStage<?> around(
      Class<?> type, String method, Object[] arguments, Intercepted.Request request) {
    try {
      if (method.equals("write")) {
        check((StoreKey) arguments[0], (Mutation) arguments[1]);
      } else if (method.equals("get") && arguments[0] instanceof StoreKey key) {
        check(key, Mutation.delete());
      }
      return request.send();
    } catch (KvException.InvalidArgument e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  private void check(StoreKey key, Mutation mutation) {
    if (on && refused.test(key, mutation)) {
      throw new KvException.InvalidArgument(REASON);
    }
  }
}
