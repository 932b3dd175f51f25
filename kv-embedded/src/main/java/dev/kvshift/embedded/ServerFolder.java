package dev.kvshift.embedded;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The folder of one server: a kept one, or a temporary one that is deleted when this is closed or
 * when this JVM is gone, whichever is first.
 */
final class ServerFolder implements AutoCloseable {
  /** A dying server can still write for a moment, hence several tries. */
  private static final String DELETE =
      "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20;"
          + " do rm -rf -- \"$1\" 2>/dev/null; [ -e \"$1\" ] || exit 0; sleep 0.1; done";

  private final Path path;
  private final @Nullable Tether deletion;

  private ServerFolder(Path path, @Nullable Tether deletion) {
    this.path = path;
    this.deletion = deletion;
  }

  static ServerFolder open(@Nullable Path kept, String name) {
    try {
      if (kept != null) {
        return new ServerFolder(Files.createDirectories(kept).toAbsolutePath(), null);
      }
      Path path = Files.createTempDirectory("kvshift-" + name + "-").toAbsolutePath();
      return new ServerFolder(path, Tether.of(":", DELETE, path.toString()));
    } catch (IOException e) {
      String where = kept == null ? System.getProperty("java.io.tmpdir") : kept.toString();
      throw new StartFailedException(
          StartFailedException.Reason.IO,
          "cannot make the folder of " + name + " in " + where + ": make it writable (" + e + ")",
          e);
    }
  }

  Path path() {
    return path;
  }

  boolean isTemporary() {
    return deletion != null;
  }

  @Override
  public void close() {
    if (deletion != null) {
      deletion.close();
    }
  }
}
