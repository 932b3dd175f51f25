package dev.kvshift.legacy.wire;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.UnsafeByteOperations;
import dev.kvshift.api.Bytes;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreKey;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Rows one after another, without a message each: main key and clustering key (varint length,
 * bytes), version (8 bytes, little-endian), kind (1 byte: 0 live, 1 tombstone, 2 expiring), expiry
 * in milliseconds (8 bytes, kind 2 only), value (varint length, bytes; not for tombstones).
 * Stateless.
 */
public final class RowBlock {
  private static final byte LIVE = 0;
  private static final byte TOMBSTONE = 1;
  private static final byte EXPIRING = 2;
  private static final int FIXED_BYTES = 3 * 5 + 8 + 1 + 8;

  private RowBlock() {}

  /** Packs one row, or none. */
  public static ByteString of(@Nullable Row row) {
    return row == null ? ByteString.EMPTY : of(List.of(row));
  }

  /** Packs the rows, shards left out: the legacy store's are empty. */
  public static ByteString of(List<Row> rows) {
    int atMost = 0;
    for (Row row : rows) {
      Bytes value = row.value();
      atMost +=
          FIXED_BYTES
              + row.key().main().size()
              + row.key().clustering().size()
              + (value == null ? 0 : value.size());
    }
    byte[] block = new byte[atMost];
    CodedOutputStream out = CodedOutputStream.newInstance(block);
    try {
      for (Row row : rows) {
        write(row, out);
      }
      int length = out.getTotalBytesWritten();
      return UnsafeByteOperations.unsafeWrap(block, 0, length);
    } catch (IOException e) {
      throw new UncheckedIOException("a row block outgrew its own reckoning", e);
    }
  }

  private static void write(Row row, CodedOutputStream out) throws IOException {
    writeBytes(row.key().main(), out);
    writeBytes(row.key().clustering(), out);
    out.writeFixed64NoTag(row.version());
    Bytes value = row.value();
    Instant expiry = row.expiry();
    if (value == null) {
      out.writeRawByte(TOMBSTONE);
      return;
    }
    if (expiry == null) {
      out.writeRawByte(LIVE);
    } else {
      out.writeRawByte(EXPIRING);
      out.writeFixed64NoTag(expiry.toEpochMilli());
    }
    writeBytes(value, out);
  }

  private static void writeBytes(Bytes bytes, CodedOutputStream out) throws IOException {
    out.writeUInt32NoTag(bytes.size());
    out.writeRawBytes(bytes.asReadOnlyBuffer());
  }

  /**
   * Unpacks a block.
   *
   * @throws IllegalArgumentException if it is none
   */
  public static List<Row> read(ByteString block) {
    List<Row> rows = new ArrayList<>();
    CodedInputStream in = block.newCodedInput();
    try {
      while (!in.isAtEnd()) {
        rows.add(readRow(in));
      }
    } catch (IOException e) {
      throw new IllegalArgumentException("not a row block", e);
    }
    return rows;
  }

  private static Row readRow(CodedInputStream in) throws IOException {
    StoreKey key = StoreKey.of(readBytes(in), readBytes(in));
    long version = in.readFixed64();
    return switch (in.readRawByte()) {
      case LIVE -> new Row(key, version, readBytes(in), null);
      case TOMBSTONE -> new Row(key, version, null, null);
      case EXPIRING -> {
        Instant expiry = Instant.ofEpochMilli(in.readFixed64());
        yield new Row(key, version, readBytes(in), expiry);
      }
      default -> throw new IOException("unknown kind of row");
    };
  }

  private static Bytes readBytes(CodedInputStream in) throws IOException {
    return Bytes.of(in.readByteBuffer());
  }
}
