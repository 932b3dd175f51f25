package dev.kvshift.demo;

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
 * A folder for one run, under the system's temporary folder and named after this process, and the
 * servers that work in it. Closing ends them and deletes it, and so does the orderly end of this
 * process (Ctrl-C, SIGTERM); what a killed run has left is deleted by the next run.
 */
final class WorkFolder implements AutoCloseable {
  private static final Pattern NAME = Pattern.compile("kvshift-(?:demo|up)-of-(\\d{1,9})");

  private final Path path;
  private final Thread hook = new Thread(this::end, "clean-up");
  private @Nullable Servers servers;

  private WorkFolder(Path path) {
    this.path = path;
    Runtime.getRuntime().addShutdownHook(hook);
  }

  static WorkFolder create(String purpose) throws IOException {
    Path temporary = Path.of(System.getProperty("java.io.tmpdir"));
    List<Path> old;
    try (Stream<Path> all = Files.list(temporary)) {
      old = all.filter(WorkFolder::isLeftOver).toList();
    }
    for (Path folder : old) {
      delete(folder);
    }
    Path path = temporary.resolve("kvshift-" + purpose + "-of-" + ProcessHandle.current().pid());
    return new WorkFolder(Files.createDirectories(path));
  }

  private static boolean isLeftOver(Path folder) {
    Matcher name = NAME.matcher(folder.getFileName().toString());
    return name.matches()
        && ProcessHandle.of(Long.parseLong(name.group(1))).filter(ProcessHandle::isAlive).isEmpty();
  }

  Path path() {
    return path;
  }

  /** Starts the servers, which end with this folder; see {@link Servers#start}. */
  Servers startServers(@Nullable String target) {
    Servers started = Servers.start(path, target);
    synchronized (this) {
      servers = started;
    }
    return started;
  }

  @Override
  public void close() {
    end();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The process is ending already, and the hook has found its work done.
      return;
    }
  }

  private synchronized void end() {
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

  /** Files may vanish meanwhile: a server deletes its own while it ends. */
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
