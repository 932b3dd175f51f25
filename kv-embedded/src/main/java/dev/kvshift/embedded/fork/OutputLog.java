package dev.kvshift.embedded.fork;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The output of one child: a file and one older file, both of bounded size, and the last lines in
 * memory. If the file cannot be written, the lines in memory are still kept, so that the child
 * never blocks on its output.
 */
final class OutputLog {
  static final int TAIL_LINES = 40;
  private static final int MAX_FILE_BYTES = 8 * 1024 * 1024;
  private static final int MAX_LINE_BYTES = 8 * 1024;

  private final Path file;
  private final Predicate<String> isReady;
  private final CompletableFuture<String> ready = new CompletableFuture<>();
  private final ArrayDeque<String> tail = new ArrayDeque<>();
  private final ByteArrayOutputStream line = new ByteArrayOutputStream();
  private volatile StartFailedException.@Nullable Reason failure;
  private @Nullable OutputStream out;
  private long fileBytes;

  OutputLog(Path file, Predicate<String> isReady) throws IOException {
    this.file = file;
    this.isReady = isReady;
    open();
  }

  /** Returns the first line that shows that the child is ready. */
  CompletableFuture<String> ready() {
    return ready;
  }

  /** Returns the first reason for a failed start that a line has shown; null if there is none. */
  StartFailedException.@Nullable Reason failure() {
    return failure;
  }

  Path file() {
    return file;
  }

  List<String> tail() {
    synchronized (tail) {
      return List.copyOf(tail);
    }
  }

  /** Reads until the child's output ends. */
  void read(InputStream childOutput) {
    byte[] chunk = new byte[MAX_LINE_BYTES];
    try (childOutput) {
      for (int n = childOutput.read(chunk); n >= 0; n = childOutput.read(chunk)) {
        write(chunk, n);
        for (int i = 0; i < n; i++) {
          if (chunk[i] == '\n' || line.size() == MAX_LINE_BYTES) {
            endLine();
          }
          if (chunk[i] != '\n') {
            line.write(chunk[i]);
          }
        }
      }
    } catch (IOException e) {
      // A pipe that broke with the child means the same as its end.
    }
    if (line.size() > 0) {
      endLine();
    }
    close();
  }

  private void endLine() {
    String text = line.toString(StandardCharsets.UTF_8);
    line.reset();
    synchronized (tail) {
      tail.addLast(text);
      if (tail.size() > TAIL_LINES) {
        tail.removeFirst();
      }
    }
    if (ready.isDone()) {
      return;
    }
    if (failure == null) {
      failure = StartFailure.reason(text);
    }
    if (isReady.test(text)) {
      ready.complete(text);
    }
  }

  private void open() throws IOException {
    out = Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    fileBytes = Files.size(file);
  }

  private void write(byte[] chunk, int length) {
    try {
      if (fileBytes + length > MAX_FILE_BYTES) {
        close();
        Path older = file.resolveSibling(file.getFileName() + ".1");
        Files.move(file, older, StandardCopyOption.REPLACE_EXISTING);
        open();
      }
      if (out != null) {
        out.write(chunk, 0, length);
        fileBytes += length;
      }
    } catch (IOException e) {
      close();
      fileBytes = 0;
    }
  }

  private void close() {
    OutputStream open = out;
    out = null;
    if (open != null) {
      try {
        open.close();
      } catch (IOException e) {
        // Nothing is buffered, so the file holds all that could be written.
      }
    }
  }
}
