package dev.kvshift.testkit.clause;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.testkit.concurrent.InParallel;
import dev.kvshift.testkit.fault.FaultInjectingStore;
import dev.kvshift.testkit.fault.FaultPlan;
import dev.kvshift.testkit.oracle.Linearizability;
import dev.kvshift.testkit.oracle.Linearizability.Operation;
import dev.kvshift.testkit.oracle.OperationRecorder;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Concurrent clients of one key see one order of its writes, even if requests fail, are delayed or
 * have unknown outcomes. Promised by leaders, which are the stores with a gate.
 */
@Needs(Capability.GATE)
public abstract class LinearizabilityClause extends Clause {
  private static final int CLIENTS = 4;
  private static final int OPERATIONS_EACH = 12;
  private static final int ROUNDS = 25;

  @ParameterizedTest
  @ValueSource(ints = {0, 100, 400})
  void operations_concurrent_areLinearizablePerKey(int faultsPerThousand) {
    long seed = Long.getLong("kvshift.seed", new Random().nextLong());
    for (int round = 0; round < ROUNDS; round++) {
      List<Operation> history = history(seed + round, faultsPerThousand);
      assertThat(Linearizability.isLinearizable(history))
          .as("-Dkvshift.seed=%s: %s", seed + round, history)
          .isTrue();
    }
  }

  private List<Operation> history(long seed, int faultsPerThousand) {
    try (FaultInjectingStore faulty =
        FaultInjectingStore.around(
            tested().fixture.open(), FaultPlan.seeded(seed, faultsPerThousand))) {
      StoreCollection collection = join(faulty.open(points().name(), pointLayout(), Claim.ACTIVE));
      StoreKey key = freshKey();
      OperationRecorder history = new OperationRecorder();
      AtomicInteger values = new AtomicInteger();
      InParallel.run(
          CLIENTS,
          client -> {
            Random random = new Random(seed * CLIENTS + client);
            for (int i = 0; i < OPERATIONS_EACH; i++) {
              int dice = random.nextInt(10);
              if (dice < 5) {
                history.read(() -> value(collection, key));
              } else {
                Bytes value =
                    dice == 9
                        ? null
                        : Bytes.of(
                            ByteBuffer.allocate(Integer.BYTES).putInt(0, values.getAndIncrement()));
                history.write(value, () -> join(collection.write(key, Mutation.of(value), call())));
              }
            }
          });
      faulty.awaitLateWrites();
      return history.operations();
    }
  }

  private static @Nullable Bytes value(StoreCollection collection, StoreKey key) {
    Row row = read(collection, key);
    return row == null ? null : row.value();
  }
}
