package dev.kvshift.migrate.internal.stream;

import dev.kvshift.fuzz.FuzzTarget;
import java.util.Arrays;
import java.util.List;

/** Records of the topic: the first byte is the length of the key. */
public final class TopicRecordFuzz implements FuzzTarget {
  @Override
  public List<byte[]> seeds() {
    byte[] watermark = new byte[1 + 2 + 8 + 24];
    watermark[1] = 1;
    watermark[2] = 'w';
    byte[] marker = new byte[1 + 2 + 24 + 8 + 3];
    marker[1] = 1;
    marker[2] = 'm';
    return List.of(watermark, marker);
  }

  @Override
  public void decode(byte[] input) {
    if (input.length == 0) {
      return;
    }
    int key = Math.min(input[0] & 0xff, input.length - 1);
    byte[] value = Arrays.copyOfRange(input, 1 + key, input.length);
    TopicRecord.parse(key == 0 ? null : Arrays.copyOfRange(input, 1, 1 + key), value);
  }
}
