package dev.kvshift.migrate.internal.monitor;

import dev.kvshift.api.Layout;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Store;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The processes that use a collection or a lock space, as its leader knows them.
 *
 * @param state the state of the collection's gate
 * @param users the processes, by the names of their services
 */
public record Fleet(Gate.State state, List<User> users) {
  /** Copies the list. */
  public Fleet {
    users = List.copyOf(users);
  }

  /**
   * A process that uses the collection.
   *
   * @param instance its last report
   * @param obstacle why it cannot follow the next step; null if it can
   */
  public record User(Gate.Instance instance, @Nullable String obstacle) {}

  /** Reads the fleet from the store that the collection leaves. */
  public static Fleet read(Store source, String collection, Layout layout, Duration patience) {
    return read(
        collection,
        Await.patiently(patience, () -> source.open(collection, layout, Claim.NONE)).gate(),
        patience);
  }

  /** Reads the processes that take locks of a space at the store that it leaves. */
  public static Fleet ofLocks(Store source, String space, Duration patience) {
    return read(
        "locks:" + space, Await.patiently(patience, () -> source.locks(space).gate()), patience);
  }

  /** Reads the fleet from a gate. */
  public static Fleet read(String collection, Gate gate, Duration patience) {
    Gate.State state = Await.patiently(patience, gate::state);
    List<User> users = new ArrayList<>();
    for (Gate.Instance instance : Await.patiently(patience, gate::instances)) {
      users.add(new User(instance, obstacle(collection, state, instance)));
    }
    users.sort(Comparator.comparing(user -> user.instance.report().service()));
    return new Fleet(state, users);
  }

  /** Returns the number of processes that can follow the next step. */
  public long ready() {
    return users.stream().filter(user -> user.obstacle == null).count();
  }

  private static @Nullable String obstacle(
      String collection, Gate.State state, Gate.Instance instance) {
    if (state.phase() == Phase.NEW_ONLY) {
      return null;
    }
    if (instance.use().acknowledged() < state.epoch()) {
      return instance.use().problem() == null
          ? "it has not entered epoch " + state.epoch() + " yet"
          : instance.use().problem();
    }
    Phase next = state.phase().towards(Phase.NEW_ONLY);
    return instance.report().obstacle(collection, next, state.copy());
  }
}
