package dev.kvshift.migrate.internal.stream;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreKey;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What the topic of a collection holds. The bytes are described in {@code docs/runner.md}; type
 * codes are never reused.
 */
public sealed interface TopicRecord {
  /** The format's version, the first byte of every key and value. */
  byte FORMAT = 1;

  /**
   * A change of one key.
   *
   * @param position its place in the source's change log
   */
  record Change(Row row, long position) implements TopicRecord {}

  /** Every change up to the position that goes to this partition stands before this record. */
  record Watermark(long position) implements TopicRecord {}

  /**
   * The fence of an attempt, once on every partition: every change before it stands before this
   * record.
   *
   * @param count on how many partitions there is one
   */
  record Marker(String attempt, long epoch, long floor, long position, int partition, int count)
      implements TopicRecord {}

  /** Returns the Kafka key of a row: the same bytes for the same key, whatever its change. */
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

  /** Returns the Kafka value of a record. */
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
      buffer = ByteBuffer.allocate(2 + 8).put(FORMAT).put((byte) 'w');
      buffer.putLong(watermark.position());
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
   * Returns the record that a Kafka record stands for.
   *
   * @throws KvException.Permanent where it stands for none
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
        case 'w' -> new Watermark(buffer.getLong());
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
          "the topic holds a record that is none of ours: give the migration a topic of its own",
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
    return new Change(new Row(parseKey(key), version, value, expires), position);
  }

  /** Returns the key that the Kafka key stands for. */
  static StoreKey parseKey(byte[] key) {
    ByteBuffer buffer = ByteBuffer.wrap(key);
    requireFormat(buffer.get());
    Bytes main = take(buffer);
    Bytes shard = take(buffer);
    return new StoreKey(main, shard, Bytes.of(buffer));
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
