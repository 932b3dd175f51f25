package dev.kvshift.embedded;

import dev.kvshift.embedded.fork.ForkedJvm;
import dev.kvshift.embedded.fork.ServerFolder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * A server in a JVM of its own, on loopback, which can be killed, stopped, frozen and restarted on
 * the same folder and ports.
 *
 * <p>Safe for use by several threads. The server dies with this JVM, however this one ends. {@link
 * #close} ends it for good: a server in a temporary folder is killed and its folder deleted; a
 * server in a folder that the caller named is stopped in an orderly way and its folder kept.
 */
public abstract sealed class ForkedServer implements AutoCloseable
    permits CassandraNode, KafkaBroker, ForkedLegacyServer {
  private final ServerFolder folder;
  private final ForkedJvm.Builder jvmBuilder;
  private volatile ForkedJvm jvm;
  private boolean closed;

  /** Starts the server. If that fails, a temporary folder is deleted. */
  ForkedServer(ServerFolder folder, ForkedJvm.Builder jvmBuilder) {
    this.folder = folder;
    this.jvmBuilder = jvmBuilder;
    boolean started = false;
    try {
      jvm = jvmBuilder.folder(folder.path()).start();
      started = true;
    } finally {
      if (!started) {
        folder.close();
      }
    }
  }

  /** Returns the folder of the server's data, configuration and log. */
  public final Path folder() {
    return folder.path();
  }

  /** Returns the current process, or the last one; does not wait for a restart. */
  public final ForkedJvm process() {
    return jvm;
  }

  /** Ends the process at once (SIGKILL). */
  public final void kill() {
    jvm.kill();
  }

  /** Asks the process to end (SIGTERM) and kills it if that takes longer than {@code grace}. */
  public final void stop(Duration grace) {
    jvm.stop(grace);
  }

  /**
   * Starts a new process on the same folder and ports, after an orderly stop if one is running.
   *
   * @throws IllegalStateException if the server is closed
   */
  public final synchronized void restart() {
    if (closed) {
      throw new IllegalStateException(
          "the server in " + folder.path() + " is closed: start another");
    }
    jvm.close();
    jvm = jvmBuilder.start();
  }

  /** Freezes the process (SIGSTOP): connections stay open and nothing is answered. */
  public final void pause() {
    jvm.pause();
  }

  /** Ends {@link #pause} (SIGCONT). */
  public final void resume() {
    jvm.resume();
  }

  @Override
  public final synchronized void close() {
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

  /**
   * Options of a server. Not safe for use by several threads.
   *
   * @param <S> the server
   * @param <B> the builder itself
   */
  public abstract static sealed class Builder<S extends ForkedServer, B extends Builder<S, B>>
      permits CassandraNode.Builder, KafkaBroker.Builder, ForkedLegacyServer.Builder {
    private final Map<String, String> settings = new LinkedHashMap<>();
    private OptionalInt port = OptionalInt.empty();
    private @Nullable Path folder;

    Builder() {}

    /**
     * Sets a folder that is kept; if it holds a server's data, the server resumes with them.
     * Default: a temporary folder.
     */
    public final B folder(Path path) {
      folder = path;
      return self();
    }

    /** Sets the port for clients. Default: a free one. */
    public final B port(int number) {
      port = OptionalInt.of(number);
      return self();
    }

    /** Sets an option of the server itself, in place of the default. */
    public final B setting(String key, String value) {
      settings.put(key, value);
      return self();
    }

    /**
     * Starts the server and waits until it answers.
     *
     * @throws dev.kvshift.embedded.fork.StartFailedException if it does not start; nothing of it is
     *     left running
     */
    public final S start() {
      return port.isPresent()
          ? startOn(port.getAsInt())
          : FreePorts.retry(() -> startOn(FreePorts.next()));
    }

    abstract B self();

    abstract S startOn(int clientPort);

    final Map<String, String> settings() {
      return settings;
    }

    final ServerFolder openFolder(String name) {
      return ServerFolder.open(folder, name);
    }
  }
}
