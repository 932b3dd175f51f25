package dev.kvshift.transition;

import static dev.kvshift.testkit.concurrent.Await.join;
import static dev.kvshift.testkit.fixture.TestCopy.COPY;

import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.FenceOptions;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;

/** A transition store whose collections have each moved by the time that they are opened. */
public final class NewOnlyFixture extends LegacyPhaseFixture {
  @Override
  public Store open() {
    Store store = super.open();
    return (Store)
        Proxy.newProxyInstance(
            Store.class.getClassLoader(),
            new Class<?>[] {Store.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals("open") && isName((String) arguments[0])) {
                move((String) arguments[0], (Layout) arguments[1]);
              }
              try {
                return method.invoke(store, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  private static boolean isName(String name) {
    try {
      CollectionRecord.requireName(name);
      return true;
    } catch (KvException.Permanent e) {
      return false;
    }
  }

  private synchronized void move(String name, Layout layout) {
    StoreCollection old = join(oldSide.open(name, layout, Claim.ACTIVE));
    Gate gate = old.gate();
    if (join(gate.state()).phase() == Phase.NEW_ONLY) {
      return;
    }
    join(newSide.open(name, layout, Claim.importing(COPY)));
    Gate.State now = join(gate.state());
    join(gate.compareAndSet(now, now.withCopy(COPY)));
    join(gate.fence("kit", FenceOptions.lasting(Duration.ofSeconds(30))));
    Gate.State moved = join(gate.move("kit"));
    join(newSide.activate(name, COPY, moved.floor()));
    clock().advance(Duration.ofSeconds(2));
  }
}
