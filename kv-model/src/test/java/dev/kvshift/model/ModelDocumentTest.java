package dev.kvshift.model;

import static dev.kvshift.model.Values.protobuf;
import static dev.kvshift.model.key.Keys.bytes;
import static dev.kvshift.model.key.Keys.composite;
import static dev.kvshift.model.key.Keys.firstBits;
import static dev.kvshift.model.key.Keys.string;
import static dev.kvshift.model.key.Keys.uint64;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.StringValue;
import com.google.protobuf.Timestamp;
import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.PageLimit;
import dev.kvshift.model.key.KeyFormat;
import dev.kvshift.model.key.KeyPrefix;
import dev.kvshift.model.key.KeyRange;
import dev.kvshift.model.mapping.Mapping;
import dev.kvshift.spi.StoreKey;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Compiles and runs the code that {@code docs/model.md} shows. */
class ModelDocumentTest {
  private static final Pattern CODE = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);

  record FileKey(String path, Bytes hash) {}

  static final RangeModel<String, FileKey, Timestamp> PACKAGE_FILES =
      Model.range("package-files")
          .main(string())
          .clustering(composite(string(), bytes()).as(FileKey::new, FileKey::path, FileKey::hash))
          .shardBy(firstBits(8))
          .value(protobuf(Timestamp.parser()));

  static final PointModel<Bytes, Timestamp> FILES =
      Model.point("files")
          .key(bytes())
          .value(protobuf(Timestamp.parser()))
          .expiringAfter(Duration.ofDays(30));

  record Board(String kind, long number) {}

  static final class BoardMapping implements Mapping {
    private static final KeyFormat<Long> OLD = uint64();
    private static final KeyFormat<Board> NEW =
        composite(string(), uint64()).as(Board::new, Board::kind, Board::number);

    @Override
    public String name() {
      return "boards-1";
    }

    @Override
    public String collection() {
      return "boards";
    }

    @Override
    public Bytes newMain(Bytes main) {
      return NEW.encode(new Board("board", OLD.decode(main)));
    }

    @Override
    public Bytes oldMain(Bytes main) {
      return OLD.encode(NEW.decode(main).number());
    }

    @Override
    public Bytes newValue(StoreKey key, Bytes value) {
      return Bytes.of(StringValue.of(value.toUtf8()).toByteArray());
    }

    @Override
    public Bytes oldValue(StoreKey key, Bytes value) {
      try {
        return Bytes.utf8(StringValue.parseFrom(value.toByteArray()).getValue());
      } catch (InvalidProtocolBufferException e) {
        throw new IllegalArgumentException(e);
      }
    }
  }

  private final Bytes hash = Bytes.fromHex("00ff");
  private final Timestamp seen = Timestamp.newBuilder().setSeconds(7).build();

  @Test
  void code_run_doesWhatItSays() {
    try (KvStore store = Stores.connect("memory://example")) {
      TypedRange<String, FileKey, Timestamp> files = PACKAGE_FILES.open(store);
      FileKey list = new FileKey("java/util/List.class", hash);
      files.put("java.util", list, seen);
      Optional<Timestamp> one = files.get("java.util", list);
      TypedPage<FileKey, Timestamp> page =
          files.getRange(
              "java.util",
              KeyRange.prefix(KeyPrefix.beginning(string(), "java/util/L")),
              PageLimit.entries(100));
      assertThat(one).contains(seen);
      assertThat(page.entries()).containsExactly(TypedEntry.of(list, seen));
      assertThat(page.next()).isNull();
      FILES.open(store).put(hash, seen);
      assertThat(FILES.open(store).get(hash)).contains(seen);
    }
  }

  @Test
  void mapping_run_comesBack() {
    BoardMapping mapping = new BoardMapping();
    Bytes main = uint64().encode(7L);
    assertThat(mapping.oldMain(mapping.newMain(main))).isEqualTo(main);
    StoreKey key = StoreKey.of(main, Bytes.empty());
    Bytes value = Bytes.utf8("Größe");
    assertThat(mapping.oldValue(key, mapping.newValue(key, value))).isEqualTo(value);
  }

  @Test
  void code_ofTheDocument_isThatOfThisTest() throws IOException {
    Path root = Path.of(Objects.requireNonNull(System.getProperty("kvshift.root")));
    String test =
        Files.readString(
            root.resolve("kv-model/src/test/java/dev/kvshift/model/ModelDocumentTest.java"));
    Matcher code = CODE.matcher(Files.readString(root.resolve("docs/model.md")));
    int blocks = 0;
    while (code.find()) {
      assertThat(squeezed(test)).contains(squeezed(code.group(1)));
      blocks++;
    }
    assertThat(blocks).isEqualTo(3);
  }

  private static String squeezed(String code) {
    return code.replaceAll("\\s+", " ").strip();
  }
}
