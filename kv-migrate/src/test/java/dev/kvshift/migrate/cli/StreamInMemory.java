package dev.kvshift.migrate.cli;

import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Key;
import dev.kvshift.api.Layout;
import dev.kvshift.memory.InMemory;

/** A process that runs the command stream between two in-memory stores, for tests that end it. */
final class StreamInMemory {
  private StreamInMemory() {}

  /** Streams; the argument is the configuration. */
  public static void main(String... arguments) {
    try (KvStore source = InMemory.store("from")) {
      source.collection("files", Layout.point()).put(Key.of(Bytes.utf8("a")), Bytes.utf8("b"));
      MigrateCommand.execute("stream", "--config", arguments[0]);
    }
  }
}
