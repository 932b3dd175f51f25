package dev.kvshift.legacy.server;

import dev.kvshift.legacy.server.internal.storage.EngineOptions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** The tests of the store, over the network. */
class LegacyNetworkTest extends LegacyStoreTest {
  private RunningServer server;

  @BeforeEach
  @Override
  void open() {
    server =
        RunningServer.start(
            EngineOptions.of(directory.resolve("served"), 8), ServerOptions.loopback(0));
    super.open();
  }

  @Override
  String connectionString() {
    return "legacy://" + server.address() + "?client=test";
  }

  @AfterEach
  @Override
  void close() {
    super.close();
    server.close();
  }
}
