package dev.kvshift.migrate.internal.stream;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.migrate.internal.ledger.ChangeCount;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreKey;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A record of a collection's topic. {@code docs/runner.md} describes the bytes; type codes are
 * never reused.
 */
public sealed interface TopicRecord {
  /** The version of the format: the first byte of every key and value. */
  byte FORMAT = 1;

  /**
   * A change of one key.
   *
   * @param row the row after the change
   * @param position the position in the source's change log
   */
  record Change(Row row, long position) implements TopicRecord {}

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
      requireFormat(buffer.get());
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
