package dev.kvshift.transition;

import static dev.kvshift.testkit.concurrent.Await.join;
import static dev.kvshift.testkit.fixture.TestCopy.COPY;

import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.ForwardingStore;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** A transition store whose collections have each come to a phase by the time they are opened. */
abstract class PhaseFixture extends LegacyPhaseFixture {
  private final Phase phase;

  PhaseFixture(Phase phase) {
    this.phase = phase;
  }

  /** Only the side that answers reads: what the kit says of costs holds for each side alone. */
  @Override
  boolean isMetered(String side) {
    boolean readsNew = phase != null && phase.compareTo(Phase.NEW_READ) >= 0;
    return side.equals(readsNew ? "new" : "old");
  }

  @Override
  public Store open() {
    return new ForwardingStore(super.open()) {
      @Override
      public CompletionStage<StoreCollection> open(String name, Layout layout, Claim claim) {
        try {
          CollectionRecord.requireName(name);
          advance(name, layout);
        } catch (KvException e) {
          return CompletableFuture.failedFuture(e);
        }
        return super.open(name, layout, claim);
      }
    };
  }

  private synchronized void advance(String name, Layout layout) {
    Gate gate = join(oldSide.open(name, layout, Claim.ACTIVE)).gate();
    if (join(gate.state()).copy() != null) {
      return;
    }
    join(newSide.open(name, layout, Claim.importing(COPY)));
    Gate.State now = join(gate.state());
    join(gate.compareAndSet(now, now.withCopy(COPY)));
    arrive(name, gate);
  }

  /** Brings a collection whose new side is prepared to the phase. */
  void arrive(String name, Gate gate) {
    for (Phase next : Phase.values()) {
      Gate.State now = join(gate.state());
      if (next.compareTo(now.phase()) > 0 && next.compareTo(phase) <= 0) {
        long epoch = now.epoch() + 1;
        join(gate.compareAndSet(now, now.withEpoch(epoch).withPhase(next).withAcceptMin(epoch)));
      }
    }
  }
}
