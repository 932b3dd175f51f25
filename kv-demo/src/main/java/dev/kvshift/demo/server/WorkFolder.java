package dev.kvshift.demo.server;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A temporary folder for one run, named after this process, and the servers that work in it.
 * Closing it kills the servers and deletes the folder; so does an orderly end of this process
 * (Ctrl-C, SIGTERM). If the process is killed, the next run deletes the folder.
 */
public final class WorkFolder implements AutoCloseable {
  private static final Pattern NAME = Pattern.compile("kvshift-(?:demo|up)-of-(\\d{1,9})");

  private final Path path;
  private final Thread hook = new Thread(this::release, "clean-up");
  private @Nullable DemoServers servers;

  private WorkFolder(Path path) {
    this.path = path;
    Runtime.getRuntime().addShutdownHook(hook);
  }

  /**
   * Creates the folder, and deletes the folders of earlier runs that were killed.
   *
   * @param command the command's name, {@code demo} or {@code up}
   */
  public static WorkFolder create(String command) throws IOException {
    Path temporary = Path.of(System.getProperty("java.io.tmpdir"));
    List<Path> orphans;
    try (Stream<Path> all = Files.list(temporary)) {
      orphans = all.filter(WorkFolder::isOrphan).toList();
    }
    for (Path folder : orphans) {
      delete(folder);
    }
    Path path = temporary.resolve("kvshift-" + command + "-of-" + ProcessHandle.current().pid());
    return new WorkFolder(Files.createDirectories(path));
  }

  private static boolean isOrphan(Path folder) {
    Matcher name = NAME.matcher(folder.getFileName().toString());
    return name.matches()
        && ProcessHandle.of(Long.parseLong(name.group(1))).filter(ProcessHandle::isAlive).isEmpty();
  }

  /** Returns the folder. */
  public Path path() {
    return path;
  }

  /** Starts the servers, which are killed when this folder is closed; see {@link DemoServers}. */
  public DemoServers startServers(@Nullable String target) {
    DemoServers started = DemoServers.start(path, target);
    synchronized (this) {
      servers = started;
    }
    return started;
  }

  @Override
  public void close() {
    release();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The process is ending. The hook finds nothing left to do.
      return;
    }
  }

  private synchronized void release() {
    if (servers != null) {
      servers.close();
      servers = null;
    }
    try {
      delete(path);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot delete " + path + ": delete it by hand", e);
    }
  }

  /** Deletes a folder. Its files may vanish meanwhile: a server deletes some when it ends. */
  private static void delete(Path root) throws IOException {
    if (!Files.exists(root)) {
      return;
    }
    Files.walkFileTree(
        root,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.deleteIfExists(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFileFailed(Path file, IOException error) throws IOException {
            if (error instanceof NoSuchFileException) {
              return FileVisitResult.CONTINUE;
            }
            throw error;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path folder, IOException error)
              throws IOException {
            Files.deleteIfExists(folder);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
