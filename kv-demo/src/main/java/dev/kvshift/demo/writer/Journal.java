package dev.kvshift.demo.writer;

import dev.kvshift.api.Bytes;
import dev.kvshift.demo.catalog.CatalogKey;
import dev.kvshift.demo.catalog.CatalogKey.FileInPackage;
import dev.kvshift.demo.catalog.CatalogKey.FileKey;
import dev.kvshift.demo.catalog.CatalogKey.PackageFileKey;
import dev.kvshift.demo.writer.JournaledWrite.Delete;
import dev.kvshift.demo.writer.JournaledWrite.Operation;
import dev.kvshift.demo.writer.JournaledWrite.Put;
import dev.kvshift.demo.writer.JournaledWrite.PutExpiring;
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
 * The file in which one writer thread records its keys and then, for each write, the intent before
 * it is sent and the outcome afterwards. Nothing in a migration reads it, so it proves the result
 * independently. Used by one thread.
 */
final class Journal implements AutoCloseable {
  private static final byte FILE_KEY = 1;
  private static final byte PACKAGE_FILE_KEY = 2;
  private static final byte PUT = 3;
  private static final byte PUT_EXPIRING = 4;
  private static final byte DELETE = 5;
  private static final byte OUTCOME = 6;

  /** The outcome of a write. */
  enum Outcome {
    /** Applied. */
    ACKNOWLEDGED,
    /** Certainly not applied. */
    REFUSED,
    /** Applied or not. */
    UNKNOWN
  }

  /** Receives the records of a journal, in order. */
  interface Visitor {
    /**
     * Receives a key. Keys are numbered from 0 in the order of these calls.
     *
     * @param loaded whether the key held revision 0 when the journal began
     */
    void key(CatalogKey key, boolean loaded);

    /**
     * Receives a write.
     *
     * @param ended when the outcome was known; the time of reading if the journal ends before
     */
    void write(JournaledWrite write, Outcome outcome, Instant ended);
  }

  private final DataOutputStream out;

  Journal(Path file) throws IOException {
    out = new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(file)));
  }

  /**
   * Records a key.
   *
   * @param loaded whether the key holds revision 0 already
   */
  void key(CatalogKey key, boolean loaded) throws IOException {
    if (key instanceof PackageFileKey inPackage) {
      out.writeByte(PACKAGE_FILE_KEY);
      out.writeUTF(inPackage.packageName());
      out.writeUTF(inPackage.file().name());
      writeBytes(inPackage.file().hash());
    } else {
      out.writeByte(FILE_KEY);
      writeBytes(((FileKey) key).hash());
    }
    out.writeBoolean(loaded);
  }

  /**
   * Records a write that is about to be sent. Once this returns, a crash of the process keeps it.
   */
  void intent(JournaledWrite write) throws IOException {
    Operation operation = write.operation();
    if (operation instanceof Put put) {
      out.writeByte(PUT);
      out.writeLong(put.revision());
    } else if (operation instanceof PutExpiring put) {
      out.writeByte(PUT_EXPIRING);
      out.writeLong(put.revision());
      out.writeLong(put.ttl().toMillis());
    } else {
      out.writeByte(DELETE);
    }
    out.writeInt(write.key());
    writeInstant(write.sent());
    out.flush();
  }

  /** Records the outcome of the write whose intent was recorded last. */
  void outcome(Outcome outcome, Instant ended) throws IOException {
    out.writeByte(OUTCOME);
    out.writeUTF(outcome.name());
    writeInstant(ended);
    out.flush();
  }

  @Override
  public void close() throws IOException {
    out.close();
  }

  /**
   * Reads a journal. A record that was cut off by a crash is ignored, and a write without an
   * outcome has the outcome unknown.
   *
   * @throws IOException if the file cannot be read or is damaged
   */
  static void read(Path file, Visitor visitor) throws IOException {
    JournaledWrite open = null;
    try (DataInputStream in =
        new DataInputStream(new BufferedInputStream(Files.newInputStream(file)))) {
      while (true) {
        byte type = in.readByte();
        switch (type) {
          case FILE_KEY, PACKAGE_FILE_KEY -> {
            CatalogKey key = readKey(type, in);
            visitor.key(key, in.readBoolean());
          }
          case PUT, PUT_EXPIRING, DELETE -> {
            Operation operation = readOperation(type, in);
            open = new JournaledWrite(in.readInt(), operation, readInstant(in));
          }
          case OUTCOME -> {
            Outcome outcome = Outcome.valueOf(in.readUTF());
            Instant ended = readInstant(in);
            visitor.write(require(open, file), outcome, ended);
            open = null;
          }
          default -> throw new IOException("journal " + file + " is damaged: record type " + type);
        }
      }
    } catch (EOFException e) {
      if (open != null) {
        visitor.write(open, Outcome.UNKNOWN, Instant.now());
      }
    }
  }

  private static JournaledWrite require(@Nullable JournaledWrite open, Path file)
      throws IOException {
    if (open == null) {
      throw new IOException("journal " + file + " is damaged: an outcome without an intent");
    }
    return open;
  }

  private static CatalogKey readKey(byte type, DataInputStream in) throws IOException {
    return type == FILE_KEY
        ? new FileKey(readBytes(in))
        : new PackageFileKey(in.readUTF(), new FileInPackage(in.readUTF(), readBytes(in)));
  }

  private static Operation readOperation(byte type, DataInputStream in) throws IOException {
    return switch (type) {
      case PUT -> new Put(in.readLong());
      case PUT_EXPIRING -> new PutExpiring(in.readLong(), Duration.ofMillis(in.readLong()));
      default -> new Delete();
    };
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
