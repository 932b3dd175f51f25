package dev.kvshift.migrate;

import static dev.kvshift.testkit.concurrent.Await.join;
import static dev.kvshift.testkit.concurrent.Await.until;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.base.Splitter;
import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Key;
import dev.kvshift.api.Layout;
import dev.kvshift.api.ShardRule;
import dev.kvshift.api.WriteOptions;
import dev.kvshift.embedded.CassandraNode;
import dev.kvshift.embedded.ForkedLegacyServer;
import dev.kvshift.embedded.fork.ForkedJvm;
import dev.kvshift.migrate.HeldService.Point;
import dev.kvshift.model.Stores;
import dev.kvshift.spi.ChangeSource;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.testkit.concurrent.InParallel;
import dev.kvshift.testkit.fault.TcpProxy;
import dev.kvshift.testkit.fixture.TestCopy;
import dev.kvshift.testkit.oracle.Linearizability;
import dev.kvshift.testkit.oracle.Linearizability.Operation;
import dev.kvshift.testkit.oracle.OperationRecorder;
import dev.kvshift.transition.Coordinator;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * A service is frozen, killed or cut off in the middle of its writes, at each point between two
 * real stores, in each phase, while the other services take two steps: forward, back or into
 * new-only. Nothing that was acknowledged is lost, and what arrives late changes nothing.
 *
 * <p>{@code -Dkvshift.frozen.seconds=60} keeps the service frozen for a minute.
 */
final class StoppedServiceTest {
  private static final Layout LAYOUT = Layout.range(ShardRule.none());
  private static final Duration FROZEN =
      Duration.ofSeconds(Integer.getInteger("kvshift.frozen.seconds", 15));
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final Bytes FIRST = Bytes.utf8("first");
  private static final Bytes SECOND = Bytes.utf8("second");

  private static ForkedLegacyServer legacy;

  private final List<Way> ways = new ArrayList<>();
  private final Map<String, OperationRecorder> histories = new ConcurrentHashMap<>();
  private String target;
  private Store oldStore;
  private Store newStore;
  private KvStore service;

  @BeforeAll
  static void startLeader() {
    legacy = ForkedLegacyServer.start();
  }

  @AfterAll
  static void stopLeader() {
    legacy.close();
  }

  @BeforeEach
  void open() {
    CassandraNode node = CassandraNode.shared();
    target = RealStoresTest.target(node, "stopped", node.datacenter());
    oldStore = Stores.open(legacy.connectionString());
    newStore = Stores.open(target);
  }

  @AfterEach
  void close() {
    if (service != null) {
      service.close();
    }
    oldStore.close();
    newStore.close();
  }

  /** One collection, which goes from a phase to another one, two steps away. */
  private final class Way {
    final String name;
    final Phase begin;
    final Phase end;
    final StoreCollection onOld;
    final StoreCollection onNew;
    private final Copy copy;
    private final Coordinator coordinator;
    private long streamed;

    Way(String test, Phase begin, Phase end) {
      this.begin = begin;
      this.end = end;
      name = test + ways.size();
      onOld = join(oldStore.open(name, LAYOUT, Claim.ACTIVE));
      copy = TestCopy.announce(onOld);
      onNew = join(newStore.open(name, LAYOUT, Claim.importing(copy)));
      coordinator = Coordinator.of(name, onOld.gate());
      coordinator.moveTo(begin, PATIENCE);
    }

    boolean isReady(int instances) {
      List<Gate.Instance> all = join(onOld.gate().instances());
      return all.size() == instances
          && all.stream()
              .allMatch(one -> one.report().obstacle(name, Phase.NEW_ONLY, copy) == null);
    }

    /** Goes to the end, applying before each step up what the phase relies on. */
    void go() {
      Phase last = end == Phase.NEW_ONLY ? Phase.NEW_PRIMARY : end;
      Gate.State state = join(onOld.gate().state());
      while (state.phase() != last) {
        if (last.compareTo(state.phase()) > 0) {
          stream();
        }
        state = coordinator.moveTo(state.phase().towards(last), PATIENCE);
      }
      if (end == Phase.NEW_ONLY) {
        stream();
        Gate.State sealed = join(onOld.gate().seal(state.epoch()));
        stream();
        join(newStore.activate(name, copy, sealed.floor()));
      }
    }

    /** Applies to the new side what the old one has committed. */
    void stream() {
      while (join(onOld.changes().read(streamed, 1 << 20, Duration.ofMillis(1)))
              instanceof ChangeSource.Data data
          && !data.changes().isEmpty()) {
        for (ChangeSource.Change change : data.changes()) {
          join(onNew.write(change.row().key(), change.row().toMutation(), Sides.call()));
        }
        streamed = data.position();
      }
    }

    KvCollection of(KvStore store) {
      return store.collection(name, LAYOUT);
    }

    @Override
    public String toString() {
      return name + ": " + begin + " to " + end;
    }
  }

  /** Makes a collection for each way of two steps, and opens the service that stays alive. */
  private void prepare(String test) {
    for (Phase begin : Phase.values()) {
      if (begin != Phase.NEW_ONLY) {
        ways.add(new Way(test, begin, twoSteps(begin, Phase.NEW_ONLY)));
      }
      if (begin.compareTo(Phase.LEGACY) > 0 && begin != Phase.NEW_ONLY) {
        ways.add(new Way(test, begin, twoSteps(begin, Phase.LEGACY)));
      }
    }
    service = connect("alive", target);
    InParallel.run(ways.size(), index -> ways.get(index).of(service));
    for (Way way : ways) {
      for (Point point : Point.values()) {
        write(way, point, FIRST);
      }
    }
  }

  private static Phase twoSteps(Phase begin, Phase direction) {
    Phase next = begin.towards(direction);
    return next == direction ? next : next.towards(direction);
  }

  private static KvStore connect(String name, String newSide) {
    return Stores.connect(
        RealStoresTest.transition(name, legacy.connectionString(), newSide).print());
  }

  @Test
  void write_frozenAtEachPointDuringTwoSteps_isHarmlessWhenItWakes() throws IOException {
    prepare("frozen");
    try (ForkedJvm held = startHeld()) {
      held.pause();
      long since = System.nanoTime();
      overtake();
      until(
          "the service was frozen for " + FROZEN,
          PATIENCE,
          () -> System.nanoTime() - since > FROZEN.toNanos());
      held.resume();
      until("its writes have ended", PATIENCE, () -> lines(held, HeldService.ENDED).count() == 1);
      lines(held, HeldService.WRITTEN).forEach(this::record);
      lines(held, HeldService.READ).forEach(this::record);
      assertThat(lines(held, HeldService.WRITTEN)).hasSize(ways.size() * Point.values().length);
      assertThat(lines(held, HeldService.WRITTEN)).noneMatch(line -> line.contains(" failed "));
    }
    assertSound();
  }

  @Test
  void write_killedAtEachPoint_hasHappenedOnBothSidesOrOnNone() throws IOException {
    prepare("killed");
    try (ForkedJvm held = startHeld()) {
      held.kill();
      long now = System.nanoTime();
      for (Way way : ways) {
        for (Point point : Point.values()) {
          add(way.name + " " + point, new Operation(true, HeldService.LATE, now, null));
          read(way, point);
        }
      }
      overtake();
    }
    assertSound();
  }

  private ForkedJvm startHeld() throws IOException {
    List<String> args =
        new ArrayList<>(List.of(legacy.connectionString(), target, LAYOUT.toString()));
    ways.forEach(way -> args.add(way.name));
    ForkedJvm held =
        ForkedJvm.builder("held", HeldService.class.getName())
            .ownClassPath()
            .jvmArgs(List.of("-Xmx192m", "-XX:+UseSerialGC"))
            .args(args)
            .ready(line -> line.equals(HeldService.READY))
            .start();
    until("both services are ready", () -> ways.stream().allMatch(way -> way.isReady(2)));
    Files.createFile(held.folder().resolve(HeldService.BEGIN));
    List<String> expected =
        ways.stream()
            .flatMap(
                way ->
                    Arrays.stream(Point.values())
                        .filter(point -> way.begin != Phase.LEGACY || !point.isAtNewSide())
                        .map(point -> way.name + " " + point))
            .toList();
    until("every write is held", () -> held(held).containsAll(expected));
    return held;
  }

  private static List<String> held(ForkedJvm process) {
    return lines(process, HeldService.HELD).map(line -> line.substring(5)).toList();
  }

  private static Stream<String> lines(ForkedJvm process, String what) {
    try {
      return Files.readAllLines(process.logFile()).stream()
          .filter(line -> line.equals(what) || line.startsWith(what + " "));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** Takes all collections to their ends, where the living service writes each key again. */
  private void overtake() {
    InParallel.run(ways.size(), index -> ways.get(index).go());
    for (Way way : ways) {
      for (Point point : Point.values()) {
        write(way, point, SECOND);
        read(way, point);
      }
    }
  }

  @Test
  void write_heldOnItsWayToTheNewSide_changesNothingWhenItArrives() throws IOException {
    prepare("cut");
    CassandraNode node = CassandraNode.shared();
    try (TcpProxy proxy = new TcpProxy(node.contactPoint())) {
      try (KvStore cut = connect("cut", target.replace(node.address(), proxy.address()))) {
        InParallel.run(ways.size(), index -> ways.get(index).of(cut));
        until("both services are ready", () -> ways.stream().allMatch(way -> way.isReady(2)));
        proxy.holdRequests();
        long since = System.nanoTime();
        InParallel.run(ways.size(), index -> writeCut(ways.get(index), cut));
        overtake();
        until(
            "the requests were held for " + FROZEN,
            PATIENCE,
            () -> System.nanoTime() - since > FROZEN.toNanos());
        proxy.pass();
        for (Way way : ways) {
          if (way.end == Phase.LEGACY) {
            until(
                "the late write has arrived in " + way,
                () ->
                    HeldService.LATE.equals(
                        Objects.requireNonNull(row(way.onNew, Point.BEFORE_NEW)).value()));
          }
        }
      }
    }
    assertSound();
  }

  private void writeCut(Way way, KvStore cut) {
    OperationRecorder history = history(way.name + " " + Point.BEFORE_NEW);
    history.write(
        HeldService.LATE,
        () ->
            way.of(cut)
                .put(
                    Point.BEFORE_NEW.key(),
                    HeldService.LATE,
                    WriteOptions.timeout(Duration.ofSeconds(2))));
  }

  private OperationRecorder history(String register) {
    return histories.computeIfAbsent(register, added -> new OperationRecorder());
  }

  private void write(Way way, Point point, Bytes value) {
    boolean done =
        history(way.name + " " + point).write(value, () -> way.of(service).put(point.key(), value));
    assertThat(done).as("the write of %s at %s", way, point).isTrue();
  }

  private void read(Way way, Point point) {
    boolean done =
        history(way.name + " " + point).read(() -> way.of(service).get(point.key()).orElse(null));
    assertThat(done).as("the read of %s at %s", way, point).isTrue();
  }

  /** Takes over a line of the held service: what, collection, point, outcome, call, answer. */
  private void record(String line) {
    List<String> parts = Splitter.on(' ').splitToList(line);
    boolean isWrite = parts.get(0).equals(HeldService.WRITTEN);
    if (isWrite && parts.get(3).equals("failed")) {
      return;
    }
    add(
        parts.get(1) + " " + parts.get(2),
        new Operation(
            isWrite,
            isWrite ? HeldService.LATE : value(parts.get(3)),
            Long.parseLong(parts.get(4)),
            parts.get(3).equals("unknown") ? null : Long.valueOf(parts.get(5))));
  }

  private static @Nullable Bytes value(String text) {
    return text.equals(HeldService.NOTHING) ? null : Bytes.utf8(text);
  }

  private void add(String register, Operation operation) {
    history(register).add(operation);
  }

  /** Expects one order of each key's operations, and the same on both sides before new-only. */
  private void assertSound() {
    for (Way way : ways) {
      for (Point point : Point.values()) {
        read(way, point);
      }
      if (way.end != Phase.NEW_ONLY) {
        way.stream();
        for (Point point : Point.values()) {
          assertThat(row(way.onNew, point))
              .as("%s, %s", way, point)
              .isEqualTo(row(way.onOld, point));
        }
      }
    }
    histories.forEach(
        (register, history) -> {
          List<Operation> operations = history.operations();
          assertThat(Linearizability.isLinearizable(operations))
              .as("%s: %s", register, operations)
              .isTrue();
        });
    System.out.println(histories.size() + " registers, " + ways);
  }

  private static @Nullable Row row(StoreCollection side, Point point) {
    Key key = point.key();
    return join(side.get(StoreKey.of(key.main(), key.clustering()), Sides.call().ungated()));
  }
}
