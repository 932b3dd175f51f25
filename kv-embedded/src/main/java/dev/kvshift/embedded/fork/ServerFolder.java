package dev.kvshift.embedded.fork;

import dev.kvshift.embedded.fork.StartFailedException.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The folder of one server. A temporary one is deleted when this is closed or when this JVM is
 * gone, whichever is first; a folder that the caller named is kept.
 */
public final class ServerFolder implements AutoCloseable {
  /** Deletes {@code $1}, in several attempts: a dying server can still write for a moment. */
  private static final String DELETE =
      "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20;"
          + " do rm -rf -- \"$1\" 2>/dev/null; [ -e \"$1\" ] || exit 0; sleep 0.1; done";

  private final Path path;
  private final @Nullable ExitCommand deletion;

  private ServerFolder(Path path, @Nullable ExitCommand deletion) {
    this.path = path;
    this.deletion = deletion;
  }

  /**
   * Creates the folder if it does not exist.
   *
   * @param kept a folder to keep, or null for a temporary one
   * @param name the server's, for messages and the temporary folder's name
   * @throws StartFailedException if the folder cannot be created
   */
  public static ServerFolder open(@Nullable Path kept, String name) {
    try {
      if (kept != null) {
        return new ServerFolder(Files.createDirectories(kept).toAbsolutePath(), null);
      }
      Path path = Files.createTempDirectory("kvshift-" + name + "-").toAbsolutePath();
      return new ServerFolder(path, ExitCommand.start(":", DELETE, path.toString()));
    } catch (IOException e) {
      String where = kept == null ? System.getProperty("java.io.tmpdir") : kept.toString();
      throw new StartFailedException(
          Reason.IO,
          "cannot create the folder of " + name + " in " + where + ": make it writable (" + e + ")",
          e);
    }
  }

  public Path path() {
    return path;
  }

  public boolean isTemporary() {
    return deletion != null;
  }

  /**
   * Writes a file of the server's configuration and returns its path.
   *
   * @throws StartFailedException if it cannot be written; this folder is then closed
   */
  public Path write(String fileName, String content) {
    Path file = path.resolve(fileName);
    try {
      return Files.writeString(file, content);
    } catch (IOException e) {
      close();
      throw new StartFailedException(Reason.IO, "cannot write " + file + ": " + e, e);
    }
  }

  @Override
  public void close() {
    if (deletion != null) {
      deletion.close();
    }
  }
}
