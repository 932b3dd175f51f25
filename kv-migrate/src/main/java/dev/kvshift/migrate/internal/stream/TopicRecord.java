package dev.kvshift.migrate.internal.stream;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.migrate.internal.ledger.ChangeCount;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreKey;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A record of a collection's topic. {@code docs/runner.md} describes the bytes; type codes are
 * never reused.
 */
public sealed interface TopicRecord {
  /** The version of the format: the first byte of every key, and of every value but a part's. */
  byte FORMAT = 1;

  /** The version of the format of parts, which older runners refuse. */
  byte PART_FORMAT = 2;

  /** Format, type, position, number and count of a part. */
  int PART_HEADER_BYTES = 2 + 16;

  /**
   * A change of one key.
   *
   * @param row the row after the change
   * @param position the position in the source's change log
   */
  record Change(Row row, long position) implements TopicRecord {}

  /**
   * A part of a change that is too large for one record. The parts of a change follow one another
   * in the partition of its key, in their order, within one transaction; their payloads together
   * are its value: see {@link ChangeParts}.
   *
   * @param position the position in the source's change log
   * @param number the number of the part, from 0
   * @param count the number of parts
   * @param payload bytes of the change's value
   */
  record Part(long position, int number, int count, Bytes payload) implements TopicRecord {}

  /**
   * A promise: every change of this partition up to the position is before this record.
   *
   * @param position a position in the source's change log
   * @param count the changes that the partition has received up to that position, by which a reader
   *     proves the promise; null if a version without counts began the stream
   */
  record Watermark(long position, @Nullable ChangeCount count) implements TopicRecord {}

  /**
   * The fence of an attempt, sent to every partition: every change before the fence is before this
   * record.
   *
   * @param attempt the name of the attempt
   * @param epoch the gate's epoch
   * @param floor F, the fence's version
   * @param position the fence's position in the change log
   * @param partition the partition of this marker
   * @param count number of partitions that get a marker
   */
  record Marker(String attempt, long epoch, long floor, long position, int partition, int count)
      implements TopicRecord {}

  /**
   * Returns a change as the records to send: itself, or its parts.
   *
   * @param maxValueBytes the largest value of a record
   */
  static List<TopicRecord> split(Change change, int maxValueBytes) {
    Bytes whole = change.print();
    if (whole.size() <= maxValueBytes) {
      return List.of(change);
    }
    int payload = maxValueBytes - PART_HEADER_BYTES;
    int count = (whole.size() + payload - 1) / payload;
    List<TopicRecord> parts = new ArrayList<>(count);
    for (int number = 0; number < count; number++) {
      ByteBuffer bytes = whole.asReadOnlyBuffer();
      int from = bytes.position() + number * payload;
      bytes.limit(Math.min(bytes.limit(), from + payload)).position(from);
      parts.add(new Part(change.position(), number, count, Bytes.of(bytes)));
    }
    return parts;
  }

  /** Returns the topic key of a row's key. */
  static Bytes printKey(StoreKey key) {
    ByteBuffer buffer =
        ByteBuffer.allocate(
            1 + 8 + key.main().size() + key.shard().size() + key.clustering().size());
    buffer.put(FORMAT);
    put(buffer, key.main());
    put(buffer, key.shard());
    buffer.put(key.clustering().asReadOnlyBuffer()).flip();
    return Bytes.of(buffer);
  }

  /** Returns the value of the record. */
  default Bytes print() {
    ByteBuffer buffer;
    if (this instanceof Change change) {
      Bytes value = change.row().value();
      Instant expiry = change.row().expiry();
      buffer = ByteBuffer.allocate(2 + 25 + (value == null ? 0 : value.size()));
      buffer.put(FORMAT).put((byte) 'c');
      buffer.putLong(change.position()).putLong(change.row().version());
      buffer.put((byte) ((value == null ? 0 : 1) | (expiry == null ? 0 : 2)));
      buffer.putLong(expiry == null ? 0 : expiry.toEpochMilli());
      if (value != null) {
        buffer.put(value.asReadOnlyBuffer());
      }
    } else if (this instanceof Part part) {
      buffer = ByteBuffer.allocate(PART_HEADER_BYTES + part.payload().size());
      buffer.put(PART_FORMAT).put((byte) 'p').putLong(part.position());
      buffer.putInt(part.number()).putInt(part.count()).put(part.payload().asReadOnlyBuffer());
    } else if (this instanceof Watermark watermark) {
      ChangeCount count = watermark.count();
      buffer = ByteBuffer.allocate(2 + (count == null ? 8 : 32)).put(FORMAT).put((byte) 'w');
      buffer.putLong(watermark.position());
      if (count != null) {
        count.numbers().forEach(buffer::putLong);
      }
    } else {
      Marker marker = (Marker) this;
      Bytes attempt = Bytes.utf8(marker.attempt());
      buffer = ByteBuffer.allocate(2 + 32 + attempt.size()).put(FORMAT).put((byte) 'm');
      buffer.putLong(marker.epoch()).putLong(marker.floor()).putLong(marker.position());
      buffer.putInt(marker.partition()).putInt(marker.count()).put(attempt.asReadOnlyBuffer());
    }
    return Bytes.of(buffer.flip());
  }

  /**
   * Parses a record of the topic.
   *
   * @throws KvException.Permanent if it is malformed or has a newer format
   */
  static TopicRecord parse(byte @Nullable [] key, byte @Nullable [] value) {
    try {
      if (value == null) {
        throw new IllegalArgumentException("a record without a value");
      }
      ByteBuffer buffer = ByteBuffer.wrap(value);
      byte format = buffer.get();
      if (format == PART_FORMAT && value.length > 1 && value[1] == 'p') {
        return part(buffer.position(2));
      }
      requireFormat(format);
      byte type = buffer.get();
      return switch (type) {
        case 'c' -> change(key, buffer);
        case 'w' -> {
          long position = buffer.getLong();
          yield new Watermark(
              position,
              buffer.hasRemaining()
                  ? new ChangeCount(buffer.getLong(), buffer.getLong(), buffer.getLong())
                  : null);
        }
        case 'm' -> {
          long epoch = buffer.getLong();
          long floor = buffer.getLong();
          long position = buffer.getLong();
          int partition = buffer.getInt();
          int count = buffer.getInt();
          yield new Marker(Bytes.of(buffer).toUtf8(), epoch, floor, position, partition, count);
        }
        default -> throw new IllegalArgumentException("type " + type);
      };
    } catch (BufferUnderflowException | IllegalArgumentException e) {
      throw new KvException.Permanent(
          "the topic holds a record that the runner did not write: let no other client write to it",
          e);
    }
  }

  private static Part part(ByteBuffer buffer) {
    long position = buffer.getLong();
    int number = buffer.getInt();
    int count = buffer.getInt();
    if (number < 0 || number >= count) {
      throw new IllegalArgumentException("part " + number + " of " + count);
    }
    return new Part(position, number, count, Bytes.of(buffer));
  }

  private static Change change(byte @Nullable [] key, ByteBuffer buffer) {
    if (key == null) {
      throw new IllegalArgumentException("a change without a key");
    }
    long position = buffer.getLong();
    long version = buffer.getLong();
    byte flags = buffer.get();
    long expiry = buffer.getLong();
    Bytes value = (flags & 1) == 0 ? null : Bytes.of(buffer);
    Instant expires = (flags & 2) == 0 ? null : Instant.ofEpochMilli(expiry);
    return new Change(Row.of(parseKey(key), version, value, expires), position);
  }

  /** Parses a topic key. */
  static StoreKey parseKey(byte[] key) {
    ByteBuffer buffer = ByteBuffer.wrap(key);
    requireFormat(buffer.get());
    Bytes main = take(buffer);
    Bytes shard = take(buffer);
    return StoreKey.of(main, shard, Bytes.of(buffer));
  }

  private static void requireFormat(byte format) {
    if (format != FORMAT) {
      throw new KvException.Permanent(
          "the topic holds records of format " + format + ": use a newer kvshift");
    }
  }

  private static void put(ByteBuffer buffer, Bytes part) {
    buffer.putInt(part.size()).put(part.asReadOnlyBuffer());
  }

  private static Bytes take(ByteBuffer buffer) {
    int size = buffer.getInt();
    if (size < 0 || size > buffer.remaining()) {
      throw new IllegalArgumentException("a part of " + size + " bytes");
    }
    ByteBuffer part = buffer.slice(buffer.position(), size);
    buffer.position(buffer.position() + size);
    return Bytes.of(part);
  }
}
