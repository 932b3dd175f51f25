package dev.kvshift.legacy.server;

import dev.kvshift.api.Capability;
import dev.kvshift.legacy.server.file.FileStore;
import dev.kvshift.legacy.server.internal.engine.Engine;
import dev.kvshift.legacy.server.internal.storage.EngineOptions;
import dev.kvshift.legacy.wire.LegacyLimits;
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

/** The store inside the process, with a clock that can be set. */
public final class FileFixture implements StoreFixture {
  private final TestClock clock = new TestClock();
  private final Meter meter = new Meter();
  private final Path directory;
  private final Engine engine;

  public FileFixture() throws IOException {
    directory = Files.createTempDirectory("legacy-kit");
    engine = Engine.open(EngineOptions.of(directory, 16).with(ManualClock.following(clock)));
  }

  @Override
  public Set<Capability> capabilities() {
    return EnumSet.complementOf(EnumSet.of(Capability.METADATA, Capability.USAGE));
  }

  @Override
  public Store open() {
    return meter.around(
        new FileStore(
            engine, LegacyLimits.DEFAULT_TIMEOUT, "legacy+file://" + directory, () -> {}));
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
  public void close() {
    engine.close();
    Folders.delete(directory);
  }
}
