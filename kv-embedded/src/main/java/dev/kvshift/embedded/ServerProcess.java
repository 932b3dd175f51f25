package dev.kvshift.embedded;

import java.nio.file.Path;
import java.time.Duration;

/** The life of one server: its folder, the process that runs on it now, and how to start it. */
final class ServerProcess implements AutoCloseable {
  private final ServerFolder folder;
  private final ForkedJvm.Builder start;
  private volatile ForkedJvm jvm;
  private boolean closed;

  /** Starts it. Where that fails, a temporary folder is deleted. */
  ServerProcess(ServerFolder folder, ForkedJvm.Builder start) {
    this.folder = folder;
    this.start = start;
    boolean started = false;
    try {
      jvm = start.folder(folder.path()).start();
      started = true;
    } finally {
      if (!started) {
        folder.close();
      }
    }
  }

  /** The process that runs now, or ran last; does not wait for a restart. */
  ForkedJvm jvm() {
    return jvm;
  }

  Path folder() {
    return folder.path();
  }

  void stop(Duration grace) {
    jvm().stop(grace);
  }

  synchronized void restart() {
    if (closed) {
      throw new IllegalStateException(
          "the server in " + folder.path() + " is closed: start another");
    }
    jvm.close();
    jvm = start.start();
  }

  /** What is deleted anyway needs no orderly stop. */
  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    if (folder.isTemporary()) {
      jvm.kill();
    } else {
      jvm.close();
    }
    folder.close();
  }
}
