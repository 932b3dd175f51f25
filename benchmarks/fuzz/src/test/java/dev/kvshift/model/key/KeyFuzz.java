package dev.kvshift.model.key;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.fuzz.FuzzTarget;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/** Encoded keys, read as every type of part in either direction, and shown. */
public final class KeyFuzz implements FuzzTarget {
  private static final List<KeyFormat<?>> FORMATS = formats();

  private static List<KeyFormat<?>> formats() {
    List<KeyFormat<?>> formats =
        new ArrayList<>(
            List.of(
                Keys.bytes(),
                Keys.string(),
                Keys.bool(),
                Keys.int32(),
                Keys.int64(),
                Keys.uint32(),
                Keys.uint64(),
                Keys.instant(),
                Keys.uuid(),
                Keys.timeUuid()));
    List.copyOf(formats).forEach(format -> formats.add(format.descending()));
    return formats;
  }

  @Override
  public List<byte[]> seeds() {
    List<Bytes> keys =
        List.of(
            Keys.bytes().encode(Bytes.of(new byte[] {0, 1, 2, (byte) 0xff})),
            Keys.string().encode("a\0b"),
            Keys.string().descending().encode("ab"),
            Keys.bool().encode(true),
            Keys.int32().encode(-7),
            Keys.int64().descending().encode(Long.MIN_VALUE),
            Keys.uint32().encode(7L),
            Keys.uint64().encode(7L),
            Keys.instant().encode(Instant.EPOCH),
            Keys.uuid().encode(new UUID(1, 2)));
    return keys.stream().map(Bytes::toByteArray).toList();
  }

  @Override
  public void decode(byte[] input) {
    Bytes key = Bytes.of(input);
    Keys.show(key);
    for (KeyFormat<?> format : FORMATS) {
      recode(format, key);
    }
  }

  /** A key that is accepted is what the format writes: two keys never mean the same. */
  private static <T> void recode(KeyFormat<T> format, Bytes key) {
    T decoded;
    try {
      decoded = format.decode(key);
    } catch (KvException refused) {
      return;
    }
    FuzzTarget.requireSame(key, format.encode(decoded));
  }
}
