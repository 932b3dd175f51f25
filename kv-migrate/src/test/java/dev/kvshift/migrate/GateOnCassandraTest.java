package dev.kvshift.migrate;

import static dev.kvshift.testkit.concurrent.Await.join;
import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.embedded.CassandraNode;
import dev.kvshift.model.Stores;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Gate.State;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Store;
import dev.kvshift.testkit.concurrent.Await;
import dev.kvshift.transition.MetadataGate;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

/** A gate that is kept in the metadata of a real store. */
final class GateOnCassandraTest {
  @Test
  void steps_byTwoCoordinators_eachIsTakenByOne() {
    CassandraNode node = CassandraNode.shared();
    String target = RealStoresTest.target(node, "metadata_gate", node.datacenter());
    try (Store one = Stores.open(target);
        Store other = Stores.open(target)) {
      Gate first = MetadataGate.of(one, "items");
      Gate second = MetadataGate.of(other, "items");
      assertThat(join(first.state())).isEqualTo(State.first());
      State now = State.first();
      for (Phase phase : Phase.values()) {
        if (phase != Phase.LEGACY && phase != Phase.NEW_ONLY) {
          State next = now.withEpoch(now.epoch() + 1).withPhase(phase);
          State expected = now;
          List<CompletionStage<Boolean>> both =
              List.of(first.compareAndSet(expected, next), second.compareAndSet(expected, next));
          assertThat(both.stream().filter(Await::join).count()).isEqualTo(1);
          assertThat(join(second.state())).isEqualTo(next);
          State done = next.withAcceptMin(next.epoch());
          assertThat(join(second.compareAndSet(next, done))).isTrue();
          assertThat(join(first.state())).isEqualTo(done);
          now = done;
        }
      }
      assertThat(join(first.instances())).isEmpty();
      State sealed = join(first.seal(now.epoch()));
      assertThat(join(second.seal(now.epoch()))).isEqualTo(sealed);
      assertThat(join(second.state())).isEqualTo(sealed);
    }
  }
}
