package dev.kvshift.embedded;

import dev.kvshift.embedded.fork.StartFailedException;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The class path of a server, which the build writes below the checkout's root. */
final class ServerClassPath {
  private static final String ROOT_PROPERTY = "kvshift.root";

  private ServerClassPath() {}

  static List<Path> of(String module) {
    return read(System.getProperty(ROOT_PROPERTY), module);
  }

  static List<Path> read(@Nullable String root, String module) {
    if (root == null) {
      throw notBuilt(
          "the class path of "
              + module
              + " cannot be found: start the JVM with -D"
              + ROOT_PROPERTY
              + "=FOLDER, the checkout in which 'mvn test-compile' has run");
    }
    Path file = Path.of(root, "kv-embedded", module, "target", "classpath");
    if (!Files.isReadable(file)) {
      throw notBuilt(file + " is missing: build first, with 'mvn test-compile' in " + root);
    }
    List<Path> jars = new ArrayList<>();
    try {
      for (String jar : Files.readString(file).strip().split(File.pathSeparator, -1)) {
        jars.add(Path.of(jar));
      }
    } catch (IOException e) {
      throw new StartFailedException(
          StartFailedException.Reason.IO, file + " cannot be read: " + e, e);
    }
    for (Path jar : jars) {
      if (!Files.isReadable(jar)) {
        throw notBuilt(jar + " is missing: build again, with 'mvn test-compile' in " + root);
      }
    }
    return jars;
  }

  private static StartFailedException notBuilt(String message) {
    return new StartFailedException(StartFailedException.Reason.NOT_BUILT, message);
  }
}
