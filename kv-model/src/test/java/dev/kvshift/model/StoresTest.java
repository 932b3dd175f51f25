package dev.kvshift.model;

import static dev.kvshift.model.Values.protobuf;
import static dev.kvshift.model.key.Keys.composite;
import static dev.kvshift.model.key.Keys.string;
import static dev.kvshift.model.key.Keys.uint64;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.StringValue;
import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.model.ModelDocumentTest.Board;
import dev.kvshift.model.shard.ShardedStore;
import dev.kvshift.spi.Store;
import org.junit.jupiter.api.Test;

class StoresTest {
  @Test
  void open_knownScheme_opensItsStore() {
    try (Store store = Stores.open("memory://stores-test")) {
      assertThat(store.description()).isEqualTo("memory://stores-test");
      assertThat(store).isNotInstanceOf(ShardedStore.class);
    }
  }

  @Test
  void open_storeWithoutLargeMainKeys_isShardedAlsoWhereItIsNested() {
    try (Store store = Stores.open("small://plain")) {
      assertThat(store).isInstanceOf(ShardedStore.class);
    }
    try (Store store = Stores.open("outer://name?inner=small%3A%2F%2Fnested")) {
      assertThat(store).isInstanceOf(ShardedStore.class);
      assertThat(store.description()).isEqualTo("memory://nested");
    }
  }

  @Test
  void connect_accessRead_readsAndWritesNothing() {
    Key key = Key.of(Bytes.utf8("a"));
    try (KvStore writer = Stores.connect("memory://stores-read");
        KvStore reader = Stores.connect("memory://stores-read?access=read")) {
      writer.collection("items", Layout.point()).put(key, Bytes.utf8("1"));
      KvCollection items = reader.collection("items", Layout.point());
      assertThat(items.get(key)).contains(Bytes.utf8("1"));
      assertThatThrownBy(() -> items.put(key, Bytes.utf8("2")))
          .isExactlyInstanceOf(KvException.Permanent.class)
          .hasMessageContaining("opened for reading");
      assertThatThrownBy(() -> reader.locks("space"))
          .isExactlyInstanceOf(KvException.Permanent.class)
          .hasMessageContaining("opened for reading");
      assertThat(items.get(key)).contains(Bytes.utf8("1"));
    }
  }

  @Test
  void connect_anotherAccess_isRefused() {
    assertThatThrownBy(() -> Stores.connect("memory://stores-read?access=write"))
        .isExactlyInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("give 'read'");
    assertThatThrownBy(() -> Stores.open("memory://stores-read?access=read"))
        .isExactlyInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("takes no parameter 'access'");
  }

  @Test
  void open_mappingOfACatalogue_mapsItsCollectionAlsoWhereItIsNested() {
    try (Store store = Stores.open("unled://mapped?mapping=boards-1");
        Store nested = Stores.open("outer://name?inner=unled%3A%2F%2Fm%3Fmapping%3Dboards-1")) {
      assertThat(store.mapping("boards")).isEqualTo("boards-1");
      assertThat(store.mapping("users")).isNull();
      assertThat(nested.mapping("boards")).isEqualTo("boards-1");
    }
  }

  @Test
  void open_storeWithALeader_isNotMapped() {
    assertThatThrownBy(() -> Stores.open("outer://name?inner=memory%3A%2F%2Fled&mapping=boards-1"))
        .isExactlyInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("memory://led has a leader");
  }

  @Test
  void models_ofOldAndOfNewEntries_seeTheSame() {
    PointModel<Long, String> before = Model.point("boards").key(uint64()).value(Values.text());
    PointModel<Board, StringValue> after =
        Model.point("boards")
            .key(composite(string(), uint64()).as(Board::new, Board::kind, Board::number))
            .value(protobuf(StringValue.parser()))
            .mappedBy("boards-1");
    try (KvStore mapped = Stores.connect("unled://boards?mapping=boards-1");
        KvStore plain = Stores.connect("unled://boards")) {
      before.open(mapped).put(7L, "plan");
      assertThat(after.open(plain).get(new Board("board", 7))).contains(StringValue.of("plan"));
      after.open(plain).put(new Board("board", 8), StringValue.of("next"));
      assertThat(before.open(mapped).get(8L)).contains("next");
      assertThatThrownBy(() -> before.open(plain))
          .isExactlyInstanceOf(KvException.Permanent.class)
          .hasMessageContaining("mapping=boards-1, not point");
    }
  }

  @Test
  void open_unknownMapping_listsThoseFound() {
    assertThatThrownBy(() -> Stores.open("unled://mapped?mapping=boards"))
        .isExactlyInstanceOf(KvException.Permanent.class)
        .hasMessage(
            "no catalogue on the class path has the mapping 'boards' that the connection string"
                + " names; they have boards-1: fix the name, or add the jar with the mapping");
  }

  @Test
  void open_unknownScheme_listsThoseFound() {
    assertThatThrownBy(() -> Stores.open("redis://host"))
        .isInstanceOf(KvException.Permanent.class)
        .hasMessage(
            "no driver for redis:// is on the class path, which has memory://, outer://, small://, unled://:"
                + " fix the scheme or add the driver's jar");
  }

  @Test
  void open_unknownParameter_isRefused() {
    assertThatThrownBy(() -> Stores.open("outer://name?iner=x"))
        .isInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("outer:// takes no parameter 'iner', did you mean 'inner'?");
  }

  @Test
  void open_withoutNeededParameter_isRefused() {
    assertThatThrownBy(() -> Stores.open("outer://name"))
        .isInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("needs the parameter 'inner'");
  }
}
