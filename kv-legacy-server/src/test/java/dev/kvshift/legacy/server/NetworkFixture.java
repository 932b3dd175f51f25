package dev.kvshift.legacy.server;

import dev.kvshift.api.Capability;
import dev.kvshift.legacy.server.internal.storage.EngineOptions;
import dev.kvshift.spi.Store;
import dev.kvshift.testkit.fixture.StoreFixture;
import dev.kvshift.testkit.fixture.TestClock;
import dev.kvshift.testkit.meter.Meter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.EnumSet;
import java.util.Set;

/** The store behind its server, with a clock that can be set. */
public class NetworkFixture implements StoreFixture {
  private final TestClock clock = new TestClock();
  private final Meter meter = new Meter();
  private final Path directory;
  private final RunningServer server;

  public NetworkFixture() throws IOException {
    directory = Files.createTempDirectory("legacy-kit");
    server =
        RunningServer.start(
            EngineOptions.of(directory, 16).with(ManualClock.following(clock)),
            ServerOptions.loopback(0),
            new MeteredFrames(meter));
  }

  @Override
  public Set<Capability> capabilities() {
    return EnumSet.complementOf(EnumSet.of(Capability.METADATA));
  }

  @Override
  public Store open() {
    return open("");
  }

  /** Opens it with more parameters. */
  final Store open(String more) {
    return Stores.open("legacy://" + server.address() + "?client=kit" + more);
  }

  @Override
  public Meter meter() {
    return meter;
  }

  @Override
  public Clock clock() {
    return clock;
  }

  @Override
  public boolean mayOutlive(Thread thread) {
    return thread.getName().startsWith("grpc-") || thread.getName().startsWith("legacy-");
  }

  @Override
  public void close() {
    server.close();
    Folders.delete(directory);
  }
}
