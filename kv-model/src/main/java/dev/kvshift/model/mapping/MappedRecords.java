package dev.kvshift.model.mapping;

import dev.kvshift.api.Bytes;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Metadata;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * The records of a mapped store, in which the layouts of mapped collections are those of their old
 * entries.
 *
 * <p>A layout ends the text of a collection's record, and the mapping ends the layout. The own one
 * is left out, another one is shown, and none is shown as {@code none}, so that whoever compares
 * layouts finds data that is not mapped as the connection string says.
 *
 * @param names the mappings' names by the names of the records
 */
record MappedRecords(Metadata inner, Map<String, String> names) implements Metadata {
  private static final String MAPPING = ";mapping=";
  private static final String NONE = MAPPING + MappedStore.NONE;

  /**
   * Creates the records of a store.
   *
   * @param mappings by the names of their collections
   */
  static MappedRecords of(Metadata inner, Map<String, Mapping> mappings) {
    Map<String, String> names = new TreeMap<>();
    mappings.forEach(
        (collection, mapping) ->
            names.put(CollectionRecord.metadataName(collection), MAPPING + mapping.name()));
    return new MappedRecords(inner, names);
  }

  @Override
  public Metadata committed() {
    return new MappedRecords(inner.committed(), names);
  }

  @Override
  public CompletionStage<@Nullable Bytes> get(String name) {
    return Futures.<@Nullable Bytes, @Nullable Bytes>map(
        inner.get(name), kept -> shown(name, kept));
  }

  @Override
  public CompletionStage<SortedMap<String, Bytes>> list(String prefix, String after, int limit) {
    return Futures.map(
        inner.list(prefix, after, limit),
        found -> {
          SortedMap<String, Bytes> records = new TreeMap<>(found);
          records.replaceAll(this::shown);
          return records;
        });
  }

  @Override
  public CompletionStage<Boolean> compareAndSet(
      String name, @Nullable Bytes expected, @Nullable Bytes next) {
    return inner.compareAndSet(name, kept(name, expected), kept(name, next));
  }

  private @Nullable Bytes shown(String name, @Nullable Bytes kept) {
    String own = names.get(name);
    return own == null || kept == null ? kept : replaced(kept, own, NONE);
  }

  private @Nullable Bytes kept(String name, @Nullable Bytes shown) {
    String own = names.get(name);
    return own == null || shown == null ? shown : replaced(shown, NONE, own);
  }

  /** Returns a record without the first mapping, or with the second if it names none. */
  private static Bytes replaced(Bytes record, String removed, String added) {
    String text = record.toUtf8();
    if (text.endsWith(removed)) {
      return Bytes.utf8(text.substring(0, text.length() - removed.length()));
    }
    boolean hasOther = text.indexOf(MAPPING, text.lastIndexOf(' ') + 1) >= 0;
    return hasOther ? record : Bytes.utf8(text + added);
  }
}
