package dev.kvshift.testkit.clause;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.testkit.concurrent.Await;
import dev.kvshift.testkit.concurrent.InParallel;
import dev.kvshift.testkit.fault.FaultInjectingStore;
import dev.kvshift.testkit.fault.FaultPlan;
import dev.kvshift.testkit.oracle.Linearizability;
import dev.kvshift.testkit.oracle.Linearizability.Operation;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Concurrent clients of one key see one order of its writes, also where requests fail, are delayed
 * or have unknown outcomes. Promised by leaders, which are the stores with a gate.
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
      ConcurrentLinkedQueue<Operation> history = new ConcurrentLinkedQueue<>();
      AtomicInteger values = new AtomicInteger();
      InParallel.run(
          CLIENTS,
          client -> {
            Random random = new Random(seed * CLIENTS + client);
            for (int i = 0; i < OPERATIONS_EACH; i++) {
              int dice = random.nextInt(10);
              if (dice < 5) {
                read(collection, key, history);
              } else {
                Bytes value =
                    dice == 9
                        ? null
                        : Bytes.of(
                            ByteBuffer.allocate(Integer.BYTES).putInt(0, values.getAndIncrement()));
                write(collection, key, value, history);
              }
            }
          });
      faulty.awaitLateWrites();
      return new ArrayList<>(history);
    }
  }

  private static void read(
      StoreCollection collection, StoreKey key, ConcurrentLinkedQueue<Operation> history) {
    long called = System.nanoTime();
    Row row;
    try {
      row = Await.<@Nullable Row>join(collection.get(key, call()));
    } catch (KvException.Transient e) {
      return;
    }
    Bytes value = row == null ? null : row.value();
    history.add(new Operation(false, value, called, System.nanoTime()));
  }

  private static void write(
      StoreCollection collection,
      StoreKey key,
      @Nullable Bytes value,
      ConcurrentLinkedQueue<Operation> history) {
    long called = System.nanoTime();
    try {
      join(collection.write(key, Mutation.of(value), call()));
      history.add(new Operation(true, value, called, System.nanoTime()));
    } catch (KvException.UnknownOutcome e) {
      history.add(new Operation(true, value, called, null));
    } catch (KvException.Transient e) {
      return;
    }
  }
}
