package dev.kvshift.demo.input;

import dev.kvshift.api.Bytes;
import dev.kvshift.demo.catalog.ClassFile;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Enumeration;
import java.util.Iterator;
import java.util.function.ToIntFunction;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;

/**
 * Reads class files one at a time: those of the running JDK, those of every jar under a folder, and
 * then synthetic ones of the same shape, until enough were read.
 */
public final class ClassFileReader {
  private static final int MAX_CLASS_BYTES = 16 << 20;
  private static final int HEADER_BYTES = 8;
  private static final int MAJOR_OFFSET = 6;

  private final Path folder;
  private final long limit;
  private final ToIntFunction<ClassFile> sink;
  private long counted;

  private ClassFileReader(Path folder, long limit, ToIntFunction<ClassFile> sink) {
    this.folder = folder;
    this.limit = limit;
    this.sink = sink;
  }

  /** Returns the folder of the local Maven repository, whose jars are the usual input. */
  public static Path localRepository() {
    return Path.of(System.getProperty("user.home"), ".m2", "repository");
  }

  /**
   * Passes class files to the sink until it has counted {@code limit}.
   *
   * @param folder the folder whose jars are read, at any depth; need not exist
   * @param limit how much the sink counts before reading ends
   * @param sink takes a class file and returns how much it counts for; 0 for a duplicate
   * @throws IOException if a file or folder cannot be read
   */
  public static void read(Path folder, long limit, ToIntFunction<ClassFile> sink)
      throws IOException {
    ClassFileReader reader = new ClassFileReader(folder, limit, sink);
    try {
      reader.readJdk();
      reader.readJars();
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    reader.synthesize();
  }

  private boolean isFull() {
    return counted >= limit;
  }

  private void readJdk() throws IOException {
    Path modules = FileSystems.getFileSystem(URI.create("jrt:/")).getPath("/modules");
    try (Stream<Path> paths = Files.walk(modules)) {
      Iterator<Path> each = paths.iterator();
      while (!isFull() && each.hasNext()) {
        Path path = each.next();
        if (isClass(path.toString())) {
          Path module = path.getName(1);
          emit(
              Files.readAllBytes(path),
              path.subpath(2, path.getNameCount()).toString(),
              module.toString());
        }
      }
    }
  }

  private void readJars() throws IOException {
    if (isFull() || !Files.isDirectory(folder)) {
      return;
    }
    try (Stream<Path> paths = Files.walk(folder)) {
      Iterator<Path> each = paths.iterator();
      while (!isFull() && each.hasNext()) {
        Path path = each.next();
        if (path.toString().endsWith(".jar") && Files.isRegularFile(path)) {
          readJar(path);
        }
      }
    }
  }

  /** Reads a jar. A broken one is skipped: a Maven repository can hold partial downloads. */
  private void readJar(Path path) throws IOException {
    try (ZipFile jar = new ZipFile(path.toFile())) {
      Enumeration<? extends ZipEntry> entries = jar.entries();
      while (!isFull() && entries.hasMoreElements()) {
        ZipEntry entry = entries.nextElement();
        if (isClass(entry.getName()) && entry.getSize() <= MAX_CLASS_BYTES) {
          try (InputStream bytes = jar.getInputStream(entry)) {
            emit(bytes.readNBytes(MAX_CLASS_BYTES), entry.getName(), path.getFileName().toString());
          }
        }
      }
    } catch (ZipException e) {
      return;
    }
  }

  private static boolean isClass(String name) {
    return name.endsWith(".class");
  }

  private void emit(byte[] content, String path, String seenIn) {
    if (content.length < HEADER_BYTES) {
      return;
    }
    int major = (content[MAJOR_OFFSET] & 0xff) << 8 | (content[MAJOR_OFFSET + 1] & 0xff);
    emit(
        new ClassFile(
            ClassFile.hashOf(content),
            content.length,
            major,
            packageOf(path),
            nameOf(path),
            seenIn));
  }

  /** Generates the rest, in packages of very different sizes, as real ones are. */
  private void synthesize() {
    for (long i = 0; !isFull(); i++) {
      String path = "synthetic/p" + Long.numberOfTrailingZeros(i + 1) + "/C" + i + ".class";
      Bytes hash = ClassFile.hashOf(Bytes.utf8(path).toByteArray());
      emit(new ClassFile(hash, 500 + i % 10_000, 61, packageOf(path), nameOf(path), "synthetic"));
    }
  }

  private void emit(ClassFile file) {
    counted += sink.applyAsInt(file);
  }

  private static String packageOf(String path) {
    int slash = path.lastIndexOf('/');
    return slash < 0 ? "" : path.substring(0, slash).replace('/', '.');
  }

  private static String nameOf(String path) {
    return path.substring(path.lastIndexOf('/') + 1);
  }
}
