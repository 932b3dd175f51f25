package dev.kvshift.embedded.fork;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A child JVM that dies with this one, however this one ends.
 *
 * <p>Safe for use by several threads. {@link Builder#start} returns once the child has printed that
 * it is ready, or throws {@link StartFailedException} with nothing left running. The child's output
 * goes to {@code NAME.log} in its folder and one older file, each at most 8 MiB. An interrupt from
 * the terminal (Ctrl-C) reaches this JVM alone. {@link #close} is a {@link #stop} with a grace of
 * 15 seconds and deletes a temporary folder. Methods called after that do nothing.
 */
public final class ForkedJvm implements AutoCloseable {
  private static final Duration STOP_GRACE = Duration.ofSeconds(15);
  private static final Duration KILL_GRACE = Duration.ofSeconds(10);
  private static final Duration START_TIMEOUT = Duration.ofSeconds(90);

  private final Process process;
  private final OutputLog log;
  private final ServerFolder folder;
  private final Thread outputReader;
  private @Nullable ExitCommand pause;

  private ForkedJvm(Process process, OutputLog log, ServerFolder folder, String name) {
    this.folder = folder;
    this.process = process;
    this.log = log;
    outputReader = new Thread(() -> log.read(process.getInputStream()), "output-of-" + name);
    outputReader.setDaemon(true);
    outputReader.start();
  }

  /**
   * Returns the options of a child.
   *
   * @param name a short name for log file, messages and temporary files
   * @param mainClass the main class, which need not be public
   */
  public static Builder builder(String name, String mainClass) {
    return new Builder(name, mainClass);
  }

  public long pid() {
    return process.pid();
  }

  public boolean isAlive() {
    return process.isAlive();
  }

  /** Returns the child's exit code, once it has ended: 128 + n after signal n. */
  public CompletableFuture<Integer> onExit() {
    return process.onExit().thenApply(Process::exitValue);
  }

  /** Returns the child's working folder. */
  public Path folder() {
    return folder.path();
  }

  public Path logFile() {
    return log.file();
  }

  /** Returns the last lines that the child printed, at most {@value OutputLog#TAIL_LINES}. */
  public List<String> logTail() {
    return log.tail();
  }

  /** Ends the child at once (SIGKILL) and waits until it is gone. */
  public void kill() {
    process.destroyForcibly();
    await(KILL_GRACE);
    endPause();
  }

  /** Asks the child to end (SIGTERM) and kills it if that takes longer than {@code grace}. */
  public void stop(Duration grace) {
    resume();
    // Process.destroy() would also close the child's input, at whose end it halts at once.
    process.toHandle().destroy();
    if (!await(grace)) {
      kill();
    }
  }

  /**
   * Freezes the child (SIGSTOP): its sockets stay open and answer nothing. If this JVM dies in the
   * meantime, the child is resumed and then dies with it.
   *
   * @throws IllegalStateException if the child has ended
   */
  public synchronized void pause() {
    if (pause != null) {
      return;
    }
    if (!isAlive()) {
      throw new IllegalStateException("process " + pid() + " has ended: it cannot be paused");
    }
    try {
      pause = ExitCommand.start("kill -STOP \"$1\"", "kill -CONT \"$1\"", Long.toString(pid()));
    } catch (IOException e) {
      throw new IllegalStateException("process " + pid() + " cannot be paused", e);
    }
  }

  /** Resumes a frozen child (SIGCONT); does nothing to one that is not frozen. */
  public void resume() {
    endPause();
  }

  @Override
  public void close() {
    stop(STOP_GRACE);
    folder.close();
  }

  private synchronized void endPause() {
    if (pause != null) {
      pause.close();
      pause = null;
    }
  }

  /** Returns whether the child has ended; an interrupt counts as the time limit. */
  private boolean await(Duration limit) {
    try {
      return process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /** Options of a child. Not safe for use by several threads. */
  public static final class Builder {
    private final String name;
    private final String mainClass;
    private List<Path> classPath = List.of();
    private List<String> jvmArgs = List.of();
    private Map<String, String> properties = Map.of();
    private Map<String, String> environment = Map.of();
    private List<String> args = List.of();
    private List<Class<?>> copiedClasses = List.of();
    private Path javaHome = Path.of(System.getProperty("java.home"));
    private Predicate<String> ready = line -> true;
    private Duration startTimeout = START_TIMEOUT;
    private @Nullable Path folder;

    private Builder(String name, String mainClass) {
      this.name = name;
      this.mainClass = mainClass;
    }

    /**
     * Sets this JVM's own jars and class folders. Surefire hides those of tests in a jar's manifest
     * and names them in a property.
     */
    public Builder ownClassPath() {
      String own =
          System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
      return classPath(
          Arrays.stream(own.split(File.pathSeparator))
              .map(entry -> Path.of(entry).toAbsolutePath())
              .toList());
    }

    /** Sets the jars and class folders. */
    public Builder classPath(List<Path> entries) {
      classPath = List.copyOf(entries);
      return this;
    }

    /** Sets the options of the JVM itself, such as its heap. */
    public Builder jvmArgs(List<String> options) {
      jvmArgs = List.copyOf(options);
      return this;
    }

    /** Sets system properties. */
    public Builder properties(Map<String, String> byName) {
      properties = Map.copyOf(byName);
      return this;
    }

    /** Sets environment variables, in addition to this JVM's. */
    public Builder environment(Map<String, String> byName) {
      environment = Map.copyOf(byName);
      return this;
    }

    /** Sets the arguments of the main class. */
    public Builder args(List<String> arguments) {
      args = List.copyOf(arguments);
      return this;
    }

    /** Sets the JDK to run on. Default: this JVM's. */
    public Builder javaHome(Path home) {
      javaHome = home;
      return this;
    }

    /** Sets which printed line means that the child is ready. Default: any. */
    public Builder ready(Predicate<String> line) {
      ready = line;
      return this;
    }

    /** Sets how long the child may take until it is ready. Default: 90 seconds. */
    public Builder startTimeout(Duration limit) {
      startTimeout = limit;
      return this;
    }

    /**
     * Sets the child's working folder, which is created if missing and kept. Default: a temporary
     * one, deleted by {@link ForkedJvm#close} or when this JVM is gone.
     */
    public Builder folder(Path path) {
      folder = path.toAbsolutePath();
      return this;
    }

    /**
     * Sets classes of this JVM that are copied onto the child's class path, alone: they may use the
     * JDK and themselves only.
     */
    public Builder copiedClasses(List<Class<?>> classes) {
      copiedClasses = List.copyOf(classes);
      return this;
    }

    /**
     * Starts the child and waits until it is ready.
     *
     * @throws StartFailedException if it does not become ready; it is then gone
     */
    public ForkedJvm start() {
      ServerFolder opened = ServerFolder.open(folder, name);
      boolean started = false;
      try {
        ForkedJvm child = start(opened);
        started = true;
        return child;
      } finally {
        if (!started) {
          opened.close();
        }
      }
    }

    private ForkedJvm start(ServerFolder opened) {
      Path home = opened.path();
      ForkedJvm child;
      try {
        child = fork(opened);
      } catch (IOException e) {
        throw new StartFailedException(
            StartFailedException.Reason.IO, name + " cannot be started in " + home + ": " + e, e);
      }
      boolean started = false;
      try {
        awaitReady(child, home);
        started = true;
        return child;
      } finally {
        if (!started) {
          child.kill();
        }
      }
    }

    private ForkedJvm fork(ServerFolder opened) throws IOException {
      Path home = opened.path();
      Path temporary = Files.createDirectories(home.resolve("tmp"));
      Path launcher = home.resolve("launcher");
      copyClass(ChildMain.class, launcher);
      for (Class<?> copied : copiedClasses) {
        copyClass(copied, launcher);
      }
      List<Path> fullClassPath = new ArrayList<>(List.of(launcher));
      fullClassPath.addAll(classPath);

      List<String> command = new ArrayList<>();
      command.add(javaHome.resolve("bin").resolve("java").toString());
      command.add("-XX:-UsePerfData");
      command.addAll(jvmArgs);
      Map<String, String> all = new LinkedHashMap<>(properties);
      all.putIfAbsent("java.io.tmpdir", temporary.toString());
      all.forEach((key, value) -> command.add("-D" + key + "=" + value));
      command.add("-cp");
      command.add(
          fullClassPath.stream()
              .map(Path::toString)
              .collect(Collectors.joining(File.pathSeparator)));
      command.add(ChildMain.class.getName());
      command.add(mainClass);
      command.addAll(args);

      OutputLog log = new OutputLog(home.resolve(name + ".log"), ready);
      ProcessBuilder builder =
          new ProcessBuilder(command).directory(home.toFile()).redirectErrorStream(true);
      builder.environment().putAll(environment);
      Process process = builder.start();
      return new ForkedJvm(process, log, opened, name);
    }

    private void awaitReady(ForkedJvm child, Path home) {
      try {
        CompletableFuture.anyOf(child.log.ready(), child.process.onExit())
            .get(startTimeout.toMillis(), TimeUnit.MILLISECONDS);
        if (child.isAlive()) {
          return;
        }
        child.outputReader.join(KILL_GRACE.toMillis());
        throw StartFailure.of(name, home, child.process.exitValue(), child.log);
      } catch (TimeoutException e) {
        throw new StartFailedException(
            StartFailedException.Reason.TIMEOUT,
            name
                + " was not ready within "
                + startTimeout.toSeconds()
                + " s: see its output, or allow more time",
            child.logTail(),
            e);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new StartFailedException(
            StartFailedException.Reason.INTERRUPTED,
            "the start of " + name + " was interrupted",
            e);
      } catch (ExecutionException e) {
        throw new IllegalStateException(e.getCause());
      }
    }

    private static void copyClass(Class<?> type, Path classFolder) throws IOException {
      String file = type.getName().replace('.', '/') + ".class";
      Path target = classFolder.resolve(file);
      Files.createDirectories(target.getParent());
      try (InputStream bytes = type.getClassLoader().getResourceAsStream(file)) {
        if (bytes == null) {
          throw new IOException(file + " is not on the class path of this JVM");
        }
        Files.write(target, bytes.readAllBytes());
      }
    }
  }
}
