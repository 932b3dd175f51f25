package dev.kvshift.migrate.api;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A file of main keys, one per line in UTF-8, in the order in which they are to be back-filled. It
 * is read from its beginning by each reader, and never held in memory. Immutable.
 *
 * <p>A file that cannot be read, and a line that is no key, fail with {@link
 * KvException.Permanent}, which names the line. A line has at most {@link #MAX_LINE_BYTES} bytes,
 * and an empty one is none.
 */
public final class KeyList {
  /** The longest line, in bytes. */
  public static final int MAX_LINE_BYTES = 256 << 10;

  private final Path file;
  private final Function<String, Bytes> parse;

  private KeyList(Path file, Function<String, Bytes> parse) {
    this.file = file;
    this.parse = parse;
  }

  /**
   * Returns the list in a file; nothing is read yet.
   *
   * @param parse returns the key of a line, or throws {@link IllegalArgumentException} or {@link
   *     KvException}
   */
  public static KeyList of(Path file, Function<String, Bytes> parse) {
    return new KeyList(Objects.requireNonNull(file), Objects.requireNonNull(parse));
  }

  /**
   * Returns the same list, whose readers also check each key.
   *
   * @param check throws {@link KvException} if the key is wrong
   */
  public KeyList checkedBy(Consumer<Bytes> check) {
    return new KeyList(
        file,
        text -> {
          Bytes key = parse.apply(text);
          check.accept(key);
          return key;
        });
  }

  /** Returns a reader at the beginning of the list, for one thread. */
  public Reader open() {
    try {
      return new Reader(new BufferedInputStream(Files.newInputStream(file)));
    } catch (IOException e) {
      throw unreadable(e);
    }
  }

  private KvException.Permanent unreadable(IOException cause) {
    return new KvException.Permanent(
        "the list of keys in " + file + " cannot be read: " + cause + ": check the file", cause);
  }

  /** Reads the list. Closing closes the file. */
  public final class Reader implements AutoCloseable {
    private final InputStream in;
    private final MessageDigest digest = sha256();
    private long keys;

    private Reader(InputStream in) {
      this.in = in;
    }

    /** Returns the next keys, at most so many; none at the end of the list. */
    public List<Bytes> next(int atMost) {
      List<Bytes> next = new ArrayList<>();
      while (next.size() < atMost) {
        String line = line();
        if (line == null) {
          break;
        }
        Bytes key = key(line);
        digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(0, key.size()));
        digest.update(key.asReadOnlyBuffer());
        keys++;
        next.add(key);
      }
      return next;
    }

    /** Returns the number of keys that were read. */
    public long keys() {
      return keys;
    }

    /** Returns the SHA-256 of the keys that were read, in their order, in hexadecimal. */
    public String digest() {
      try {
        return Bytes.of(((MessageDigest) digest.clone()).digest()).toHex();
      } catch (CloneNotSupportedException e) {
        throw new IllegalStateException(e);
      }
    }

    private Bytes key(String line) {
      if (line.isEmpty()) {
        throw wrong("is empty: give a main key in each line", null);
      }
      try {
        return parse.apply(line);
      } catch (IllegalArgumentException | KvException e) {
        throw wrong("is no main key: " + e.getMessage(), e);
      }
    }

    private @Nullable String line() {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      try {
        int next = in.read();
        if (next < 0) {
          return null;
        }
        for (; next >= 0 && next != '\n'; next = in.read()) {
          if (bytes.size() == MAX_LINE_BYTES) {
            throw wrong("has more than " + MAX_LINE_BYTES + " bytes: give a main key in it", null);
          }
          bytes.write(next);
        }
      } catch (IOException e) {
        throw unreadable(e);
      }
      String line = decoded(bytes.toByteArray());
      return line.endsWith("\r") ? line.substring(0, line.length() - 1) : line;
    }

    private String decoded(byte[] bytes) {
      try {
        return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
      } catch (CharacterCodingException e) {
        throw wrong("is not UTF-8: give the bytes of its key as 0xHEX", e);
      }
    }

    private KvException.Permanent wrong(String why, @Nullable Exception cause) {
      return new KvException.Permanent(
          "line " + (keys + 1) + " of the list of keys in " + file + " " + why, cause);
    }

    @Override
    public void close() {
      try {
        in.close();
      } catch (IOException e) {
        throw unreadable(e);
      }
    }
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every JDK has it
    }
  }
}
