package dev.kvshift.migrate.internal.cutover;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Store;
import dev.kvshift.transition.Coordinator;
import java.time.Duration;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class WayBackTest {
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private final Store store = MemoryStoreProvider.open(UUID.randomUUID().toString());
  private final Gate gate = Await.of(store.open("files", Layout.point(), Claim.ACTIVE)).gate();
  private final Coordinator coordinator = Coordinator.of("files", gate);

  @AfterEach
  void close() {
    store.close();
  }

  @Test
  void to_earlierPhase_isTaken() {
    coordinator.moveTo(Phase.NEW_PRIMARY, PATIENCE);

    assertThat(WayBack.to(Phase.DUAL_WRITE, coordinator, PATIENCE).phase())
        .isEqualTo(Phase.DUAL_WRITE);
    assertThat(WayBack.to(Phase.LEGACY, coordinator, PATIENCE).epoch()).isEqualTo(10);
  }

  @Test
  void to_takenFurtherBackMeanwhile_goesNotForward() {
    coordinator.moveTo(Phase.SHADOW_WRITE, PATIENCE);

    assertThatThrownBy(() -> WayBack.to(Phase.SHADOW_READ, coordinator, PATIENCE))
        .isExactlyInstanceOf(KvException.Transient.class)
        .hasMessageContaining("was taken back to phase SHADOW_WRITE meanwhile");
    assertThat(Await.of(gate.state()).phase()).isEqualTo(Phase.SHADOW_WRITE);
  }

  @Test
  void to_sealed_isRefused() {
    Gate.State primary = coordinator.moveTo(Phase.NEW_PRIMARY, PATIENCE);
    Await.of(gate.seal(primary.epoch()));

    assertThatThrownBy(() -> WayBack.to(Phase.LEGACY, coordinator, PATIENCE))
        .isExactlyInstanceOf(MigrationException.CutoverRefused.class)
        .hasMessageContaining("there is no way back from NEW_ONLY");
  }
}
