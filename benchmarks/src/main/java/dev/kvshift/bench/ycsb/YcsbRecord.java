package dev.kvshift.bench.ycsb;

import dev.kvshift.api.Bytes;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import site.ycsb.ByteArrayByteIterator;
import site.ycsb.ByteIterator;

/**
 * A record of YCSB, whose fields are one value: of each field the length of its name, the name, the
 * length of its content, the content.
 */
record YcsbRecord(Map<String, Bytes> fields) {
  static YcsbRecord of(Map<String, ByteIterator> values) {
    Map<String, Bytes> fields = new LinkedHashMap<>();
    values.forEach((name, content) -> fields.put(name, Bytes.of(content.toArray())));
    return new YcsbRecord(fields);
  }

  static YcsbRecord decode(Bytes value) {
    ByteBuffer in = ByteBuffer.wrap(value.toByteArray());
    Map<String, Bytes> fields = new LinkedHashMap<>();
    while (in.hasRemaining()) {
      String name = new String(next(in), StandardCharsets.UTF_8);
      fields.put(name, Bytes.of(next(in)));
    }
    return new YcsbRecord(fields);
  }

  private static byte[] next(ByteBuffer in) {
    byte[] bytes = new byte[in.getInt()];
    in.get(bytes);
    return bytes;
  }

  Bytes encode() {
    int size = 0;
    for (Map.Entry<String, Bytes> field : fields.entrySet()) {
      size += 2 * Integer.BYTES + Bytes.utf8(field.getKey()).size() + field.getValue().size();
    }
    ByteBuffer out = ByteBuffer.allocate(size);
    fields.forEach(
        (name, content) -> {
          byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
          out.putInt(bytes.length).put(bytes);
          out.putInt(content.size()).put(content.toByteArray());
        });
    return Bytes.of(out.array());
  }

  /** Returns this record with the fields of another one in place of its own. */
  YcsbRecord with(YcsbRecord changed) {
    Map<String, Bytes> merged = new LinkedHashMap<>(fields);
    merged.putAll(changed.fields);
    return new YcsbRecord(merged);
  }

  /**
   * Returns the fields as YCSB takes them.
   *
   * @param wanted their names; null for all
   */
  HashMap<String, ByteIterator> select(@Nullable Set<String> wanted) {
    HashMap<String, ByteIterator> selected = new HashMap<>();
    fields.forEach(
        (name, content) -> {
          if (wanted == null || wanted.contains(name)) {
            selected.put(name, new ByteArrayByteIterator(content.toByteArray()));
          }
        });
    return selected;
  }
}
