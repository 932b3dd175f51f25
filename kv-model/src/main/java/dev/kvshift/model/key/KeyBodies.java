package dev.kvshift.model.key;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.model.internal.encoding.KeyReader;
import dev.kvshift.model.internal.encoding.KeyWriter;
import dev.kvshift.model.internal.encoding.PartCode;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Map;
import java.util.UUID;
import java.util.function.ToIntFunction;

/** The bodies that follow each type code, as {@code docs/key-encoding.md} specifies them. */
final class KeyBodies {
  /** The format of an enum whose constants are unknown: its number. */
  static final KeyFormat<Integer> ENUM_NUMBER = new KeyFormat.Part<>(PartCode.ENUM, new Signed32());

  private KeyBodies() {}

  record Raw() implements KeyFormat.Body<Bytes> {
    @Override
    public void write(Bytes key, KeyWriter writer) {
      writer.putTerminated(key);
    }

    @Override
    public Bytes read(KeyReader reader) {
      return Bytes.of(reader.nextTerminated());
    }
  }

  record Text() implements KeyFormat.Body<String> {
    @Override
    public void write(String key, KeyWriter writer) {
      if (!writer.putTerminatedAscii(key)) {
        writer.putTerminated(utf8(key));
      }
    }

    @Override
    public String read(KeyReader reader) {
      byte[] body = reader.nextTerminated();
      if (isAscii(body)) {
        return new String(body, StandardCharsets.ISO_8859_1);
      }
      try {
        return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(body)).toString();
      } catch (CharacterCodingException e) {
        throw reader.malformed("a string part is not UTF-8");
      }
    }

    private static boolean isAscii(byte[] body) {
      for (byte value : body) {
        if (value < 0) {
          return false;
        }
      }
      return true;
    }

    private static byte[] utf8(String key) {
      try {
        ByteBuffer utf8 = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(key));
        byte[] bytes = new byte[utf8.remaining()];
        utf8.get(bytes);
        return bytes;
      } catch (CharacterCodingException e) {
        throw new KvException.InvalidArgument(
            "a string key has an unpaired surrogate, which UTF-8 cannot encode: fix the text", e);
      }
    }
  }

  record Flag() implements KeyFormat.Body<Boolean> {
    @Override
    public void write(Boolean key, KeyWriter writer) {
      writer.putByte(key ? 1 : 0);
    }

    @Override
    public Boolean read(KeyReader reader) {
      int value = reader.nextByte();
      if (value > 1) {
        throw reader.malformed("a boolean part is neither 00 nor 01");
      }
      return value == 1;
    }
  }

  record Signed32() implements KeyFormat.Body<Integer> {
    @Override
    public void write(Integer key, KeyWriter writer) {
      writer.putInt(key ^ Integer.MIN_VALUE);
    }

    @Override
    public Integer read(KeyReader reader) {
      return reader.nextInt() ^ Integer.MIN_VALUE;
    }
  }

  record Unsigned32() implements KeyFormat.Body<Long> {
    @Override
    public void write(Long key, KeyWriter writer) {
      if (key >>> 32 != 0) {
        throw new KvException.InvalidArgument("uint32 key " + key + ": give 0 to 4294967295");
      }
      writer.putInt((int) (long) key);
    }

    @Override
    public Long read(KeyReader reader) {
      return Integer.toUnsignedLong(reader.nextInt());
    }
  }

  record Number64(long flipped) implements KeyFormat.Body<Long> {
    @Override
    public void write(Long key, KeyWriter writer) {
      writer.putLong(key ^ flipped);
    }

    @Override
    public Long read(KeyReader reader) {
      return reader.nextLong() ^ flipped;
    }
  }

  record Moment() implements KeyFormat.Body<Instant> {
    @Override
    public void write(Instant key, KeyWriter writer) {
      writer.putLong(key.getEpochSecond() ^ Long.MIN_VALUE);
      writer.putInt(key.getNano());
    }

    @Override
    public Instant read(KeyReader reader) {
      long seconds = reader.nextLong() ^ Long.MIN_VALUE;
      int nanos = reader.nextInt();
      if (nanos < 0 || nanos > 999_999_999) {
        throw reader.malformed("an instant part has nanoseconds above 999999999");
      }
      try {
        return Instant.ofEpochSecond(seconds, nanos);
      } catch (DateTimeException e) {
        throw reader.malformed("an instant part lies outside the years -1000000000 to 1000000000");
      }
    }
  }

  record AnyUuid() implements KeyFormat.Body<UUID> {
    @Override
    public void write(UUID key, KeyWriter writer) {
      writer.putLong(key.getMostSignificantBits());
      writer.putLong(key.getLeastSignificantBits());
    }

    @Override
    public UUID read(KeyReader reader) {
      long high = reader.nextLong();
      return new UUID(high, reader.nextLong());
    }
  }

  record TimeUuid() implements KeyFormat.Body<UUID> {
    @Override
    public void write(UUID key, KeyWriter writer) {
      if (key.version() != 1) {
        throw new KvException.InvalidArgument(
            "UUID " + key + " has version " + key.version() + ", not 1: declare it as uuid()");
      }
      long high = key.getMostSignificantBits();
      writer.putLong(
          ((high & 0xfff) << 52) | (((high >>> 16) & 0xffff) << 36) | ((high >>> 32) << 4) | 1);
      writer.putLong(key.getLeastSignificantBits());
    }

    @Override
    public UUID read(KeyReader reader) {
      long ordered = reader.nextLong();
      if ((ordered & 0xf) != 1) {
        throw reader.malformed("a timeUuid part is not of version 1");
      }
      long high =
          ((ordered >>> 4) << 32) | (((ordered >>> 36) & 0xffff) << 16) | 0x1000 | (ordered >>> 52);
      return new UUID(high, reader.nextLong());
    }
  }

  record Numbered<E extends Enum<E>>(ToIntFunction<E> number, Map<Integer, E> byNumber)
      implements KeyFormat.Body<E> {
    @Override
    public void write(E key, KeyWriter writer) {
      int value = number.applyAsInt(key);
      if (byNumber.get(value) != key) {
        throw new KvException.InvalidArgument(
            "constant " + key + " is not declared for the key: add it to the model");
      }
      writer.putInt(value ^ Integer.MIN_VALUE);
    }

    @Override
    public E read(KeyReader reader) {
      int value = reader.nextInt() ^ Integer.MIN_VALUE;
      E constant = byNumber.get(value);
      if (constant == null) {
        throw reader.malformed("an enum part has the number " + value + ", which no constant has");
      }
      return constant;
    }
  }
}
