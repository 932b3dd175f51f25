package dev.kvshift.demo;

import dev.kvshift.api.Bytes;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Enumeration;
import java.util.Iterator;
import java.util.function.ToIntFunction;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;

/**
 * The demo's real input: the class files of the running JDK and of every jar under a folder, one at
 * a time, and as many synthetic ones of the same shape as are asked for beyond them.
 */
final class ClassFiles {
  private static final int MAX_CLASS_BYTES = 16 << 20;
  private static final int HEADER_BYTES = 8;
  private static final int MAJOR_OFFSET = 6;

  /**
   * One class file.
   *
   * @param hash SHA-256 of its bytes
   * @param packageName with dots; empty for the unnamed package
   * @param name its file name within the package
   * @param seenIn the jar's file name or the JDK's module
   */
  record ClassFile(
      Bytes hash, long sizeBytes, int major, String packageName, String name, String seenIn) {}

  private final Path folder;
  private final long limit;
  private final ToIntFunction<ClassFile> sink;
  private long given;

  private ClassFiles(Path folder, long limit, ToIntFunction<ClassFile> sink) {
    this.folder = folder;
    this.limit = limit;
    this.sink = sink;
  }

  /**
   * Hands class files to the sink until it has counted {@code limit}.
   *
   * @param folder its jars are read, at any depth; one that does not exist gives none
   * @param sink says how much the file adds, which is nothing for a double
   */
  static void read(Path folder, long limit, ToIntFunction<ClassFile> sink) throws IOException {
    ClassFiles files = new ClassFiles(folder, limit, sink);
    try {
      files.readImage();
      files.readJars();
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    files.makeUp();
  }

  private boolean isFull() {
    return given >= limit;
  }

  private void readImage() throws IOException {
    Path modules = FileSystems.getFileSystem(URI.create("jrt:/")).getPath("/modules");
    try (Stream<Path> paths = Files.walk(modules)) {
      Iterator<Path> each = paths.iterator();
      while (!isFull() && each.hasNext()) {
        Path path = each.next();
        if (isClass(path.toString())) {
          Path module = path.getName(1);
          take(
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

  /** A file that is no readable jar is passed over: a repository holds broken downloads, too. */
  private void readJar(Path path) throws IOException {
    try (ZipFile jar = new ZipFile(path.toFile())) {
      Enumeration<? extends ZipEntry> entries = jar.entries();
      while (!isFull() && entries.hasMoreElements()) {
        ZipEntry entry = entries.nextElement();
        if (isClass(entry.getName()) && entry.getSize() <= MAX_CLASS_BYTES) {
          try (InputStream bytes = jar.getInputStream(entry)) {
            take(bytes.readNBytes(MAX_CLASS_BYTES), entry.getName(), path.getFileName().toString());
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

  private void take(byte[] content, String path, String seenIn) {
    if (content.length < HEADER_BYTES) {
      return;
    }
    int major = (content[MAJOR_OFFSET] & 0xff) << 8 | (content[MAJOR_OFFSET + 1] & 0xff);
    give(
        new ClassFile(
            sha256(content), content.length, major, packageOf(path), nameOf(path), seenIn));
  }

  /** The tail of a large input: packages of very different sizes, as in life. */
  private void makeUp() {
    for (long i = 0; !isFull(); i++) {
      String path = "synthetic/p" + Long.numberOfTrailingZeros(i + 1) + "/C" + i + ".class";
      Bytes hash = sha256(Bytes.utf8(path).toByteArray());
      give(new ClassFile(hash, 500 + i % 10_000, 61, packageOf(path), nameOf(path), "synthetic"));
    }
  }

  private void give(ClassFile file) {
    given += sink.applyAsInt(file);
  }

  private static String packageOf(String path) {
    int slash = path.lastIndexOf('/');
    return slash < 0 ? "" : path.substring(0, slash).replace('/', '.');
  }

  private static String nameOf(String path) {
    return path.substring(path.lastIndexOf('/') + 1);
  }

  static Bytes sha256(byte[] content) {
    try {
      return Bytes.of(MessageDigest.getInstance("SHA-256").digest(content));
    } catch (NoSuchAlgorithmException e) {
      throw new LinkageError("every JDK has SHA-256", e);
    }
  }
}
