package dev.kvshift.migrate;

import dev.kvshift.api.Bytes;
import dev.kvshift.model.Model;
import dev.kvshift.model.ModelCatalogue;
import dev.kvshift.model.mapping.Mapping;
import dev.kvshift.spi.StoreKey;
import java.util.List;

/** The mappings of the tests' class path: those of collection {@code boards}. */
public final class BoardCatalogue implements ModelCatalogue {
  /** Puts main keys and values behind a word. */
  private record Prefixed(String name, String key, String value, boolean keepsOrder)
      implements Mapping {
    @Override
    public String collection() {
      return "boards";
    }

    @Override
    public Bytes newMain(Bytes main) {
      return Bytes.utf8(key).concat(main);
    }

    @Override
    public Bytes oldMain(Bytes main) {
      return main.slice(key.length(), main.size());
    }

    @Override
    public Bytes newValue(StoreKey oldKey, Bytes old) {
      return Bytes.utf8(value).concat(old);
    }

    @Override
    public Bytes oldValue(StoreKey oldKey, Bytes mapped) {
      return mapped.slice(value.length(), mapped.size());
    }
  }

  @Override
  public List<Model> models() {
    return List.of();
  }

  @Override
  public List<Mapping> mappings() {
    return List.of(
        new Prefixed("boards-1", "bord:", "v1:", false),
        new Prefixed("boards-2", "board:", "v2:", true));
  }
}
