package dev.kvshift.demo;

import dev.kvshift.api.Bytes;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import org.jspecify.annotations.Nullable;

/**
 * One writer thread's own account, on disk: every key it owns, then for each write the intent
 * before and the outcome after. Nothing in a migration reads it. Used by one thread.
 */
final class Journal implements AutoCloseable {
  private static final byte KEY = 1;
  private static final byte INTENT = 2;
  private static final byte OUTCOME = 3;
  private static final int NO_REVISION = -1;

  /** How a write ended. */
  enum Outcome {
    ACKNOWLEDGED,
    /** Certainly not applied. */
    REFUSED,
    UNKNOWN
  }

  /**
   * A write as it was meant.
   *
   * @param key the index of its key
   * @param revision of the value, or null for a delete
   * @param ttl its time to live, or null
   * @param start when it was sent
   */
  record Write(int key, @Nullable Long revision, @Nullable Duration ttl, Instant start) {
    /** What the key holds if this was applied, the last attempt having ended by {@code end}. */
    Expected.State state(Instant end) {
      return new Expected.State(
          revision, ttl == null ? null : start.plus(ttl), ttl == null ? null : end.plus(ttl));
    }
  }

  /** Takes what a journal holds, in order. */
  interface Reader {
    void key(int index, LiveKey key, boolean loaded);

    /** A write that has ended, or, with an outcome of unknown, one that was cut short. */
    void write(Write write, Outcome outcome, Instant end);
  }

  private final DataOutputStream out;

  Journal(Path file) throws IOException {
    out = new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(file)));
  }

  /** Notes a key; {@code loaded} says that it holds revision 0 already. */
  void key(int index, LiveKey key, boolean loaded) throws IOException {
    out.writeByte(KEY);
    out.writeInt(index);
    out.writeUTF(key.collection());
    out.writeUTF(key.packageName());
    out.writeUTF(key.path());
    writeBytes(key.hash());
    out.writeBoolean(loaded);
  }

  /** Notes a write before it is sent; once this returns a crash of the process keeps it. */
  void intent(Write write) throws IOException {
    out.writeByte(INTENT);
    out.writeInt(write.key);
    Long revision = write.revision;
    out.writeLong(revision == null ? NO_REVISION : revision);
    Duration ttl = write.ttl;
    out.writeLong(ttl == null ? 0 : ttl.toMillis());
    writeInstant(write.start);
    out.flush();
  }

  /** Notes how the write ended. */
  void outcome(Outcome outcome, Instant end) throws IOException {
    out.writeByte(OUTCOME);
    out.writeUTF(outcome.name());
    writeInstant(end);
    out.flush();
  }

  @Override
  public void close() throws IOException {
    out.close();
  }

  /** Reads a journal; one that ends within a record gives what is before it. */
  static void read(Path file, Reader reader) throws IOException {
    Write open = null;
    try (DataInputStream in =
        new DataInputStream(new BufferedInputStream(Files.newInputStream(file)))) {
      while (true) {
        switch (in.readByte()) {
          case KEY -> {
            int index = in.readInt();
            LiveKey key = new LiveKey(in.readUTF(), in.readUTF(), in.readUTF(), readBytes(in));
            reader.key(index, key, in.readBoolean());
          }
          case INTENT -> {
            int key = in.readInt();
            long revision = in.readLong();
            long ttl = in.readLong();
            open =
                new Write(
                    key,
                    revision == NO_REVISION ? null : (Long) revision,
                    ttl == 0 ? null : Duration.ofMillis(ttl),
                    readInstant(in));
          }
          case OUTCOME -> {
            Outcome outcome = Outcome.valueOf(in.readUTF());
            Instant end = readInstant(in);
            if (open == null) {
              throw new IOException("journal " + file + " has an outcome without an intent");
            }
            reader.write(open, outcome, end);
            open = null;
          }
          default -> throw new IOException("journal " + file + " is damaged");
        }
      }
    } catch (EOFException e) {
      if (open != null) {
        reader.write(open, Outcome.UNKNOWN, Instant.now());
      }
    }
  }

  private void writeBytes(Bytes bytes) throws IOException {
    out.writeInt(bytes.size());
    out.write(bytes.toByteArray());
  }

  private static Bytes readBytes(DataInputStream in) throws IOException {
    byte[] bytes = new byte[in.readInt()];
    in.readFully(bytes);
    return Bytes.of(bytes);
  }

  private void writeInstant(Instant instant) throws IOException {
    out.writeLong(ChronoUnit.MICROS.between(Instant.EPOCH, instant));
  }

  private static Instant readInstant(DataInputStream in) throws IOException {
    return Instant.EPOCH.plus(in.readLong(), ChronoUnit.MICROS);
  }
}
