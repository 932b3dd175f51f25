package dev.kvshift.model.mapping;

import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.ForwardingStore;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Metadata;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A store that holds the entries of some collections in another form, and shows them in the form in
 * which services write them.
 *
 * <p>The layout that the inner store keeps of such a collection names its mapping: whoever opens it
 * without the mapping, or with another one, is refused. A store with a leader cannot be mapped, nor
 * can one without records.
 *
 * <p>Safe for use by many threads and processes. Closing this store closes the inner one.
 */
public final class MappedStore extends ForwardingStore {
  /** The name that no mapping has. */
  static final String NONE = "none";

  private final Map<String, Mapping> mappings;
  private final Metadata records;

  /**
   * Creates a mapped store over an inner one, which is sharded if it needs to be.
   *
   * @throws KvException.Permanent if the store has a leader or keeps no records, if two mappings
   *     are for one collection, or if a name has another form than {@link Mapping#name} says
   */
  public MappedStore(Store inner, Collection<Mapping> mappings) {
    super(inner);
    this.mappings = byCollection(mappings);
    requireMappable(inner);
    this.records = MappedRecords.of(inner.metadata(), this.mappings);
  }

  private static void requireMappable(Store inner) {
    Set<Capability> has = inner.capabilities();
    if (has.contains(Capability.GATE) || has.contains(Capability.CHANGE_SOURCE)) {
      throw new KvException.Permanent(
          inner.description()
              + " has a leader, whose changes and gate know the entries as they are, so none can be"
              + " mapped there: map those of the other side");
    }
    if (!has.contains(Capability.METADATA)) {
      throw new KvException.Permanent(
          inner.description()
              + " keeps no records, so nothing would say that its entries are mapped: name the"
              + " mapping in the string of the store that holds them, such as that in new=");
    }
  }

  private static Map<String, Mapping> byCollection(Collection<Mapping> mappings) {
    Map<String, Mapping> found = new TreeMap<>();
    for (Mapping mapping : mappings) {
      requireName(mapping.name());
      Mapping other = found.put(mapping.collection(), mapping);
      if (other != null) {
        throw new KvException.Permanent(
            "collection "
                + mapping.collection()
                + " has two mappings, "
                + other.name()
                + " and "
                + mapping.name()
                + ": name one of them");
      }
    }
    return found;
  }

  private static void requireName(String name) {
    try {
      Layout.point().withMapping(name);
    } catch (IllegalArgumentException e) {
      throw new KvException.Permanent(String.valueOf(e.getMessage()), e);
    }
    if (name.equals(NONE)) {
      throw new KvException.Permanent("no mapping may be called " + NONE + ": rename it");
    }
  }

  @Override
  public String description() {
    return inner.description()
        + mappings.values().stream()
            .map(Mapping::name)
            .collect(Collectors.joining(", ", " mapped by ", ""));
  }

  @Override
  public @Nullable String mapping(String collection) {
    Mapping mapping = mappings.get(collection);
    return mapping == null ? super.mapping(collection) : mapping.name();
  }

  @Override
  public boolean keepsOrder(String collection) {
    Mapping mapping = mappings.get(collection);
    return (mapping == null || mapping.keepsOrder()) && super.keepsOrder(collection);
  }

  @Override
  public CompletionStage<StoreCollection> open(String name, Layout layout, Claim claim) {
    return Futures.start(
        () -> {
          boolean isDirectory = name.endsWith(CollectionRecord.DIRECTORY_SUFFIX);
          Mapping mapping = mappings.get(isDirectory ? entriesOf(name) : name);
          if (mapping == null) {
            return inner.open(name, layout, claim);
          }
          requireUnmapped(name, layout, mapping);
          Layout kept = isDirectory ? layout : layout.withMapping(mapping.name());
          EntryMap entries = new EntryMap(name, mapping, !isDirectory);
          return Futures.map(
              inner.open(name, kept, claim),
              opened -> new MappedCollection(opened, layout, entries));
        });
  }

  private static String entriesOf(String directory) {
    return directory.substring(0, directory.length() - CollectionRecord.DIRECTORY_SUFFIX.length());
  }

  private void requireUnmapped(String name, Layout layout, Mapping mapping) {
    if (layout.mapping() != null) {
      throw new KvException.Permanent(
          "collection "
              + name
              + " of "
              + inner.description()
              + " is mapped by "
              + layout.mapping()
              + ", not by "
              + mapping.name()
              + ": name its own mapping in the connection string, or reset the migration and copy"
              + " it again");
    }
  }

  @Override
  public CompletionStage<CollectionRecord> activate(String name, Copy copy, long floor) {
    return shown(name, super.activate(name, copy, floor));
  }

  @Override
  public CompletionStage<CollectionRecord> restart(
      String name, Layout layout, Copy copy, Copy next) {
    Mapping mapping = mappings.get(name);
    Layout kept = mapping == null ? layout : layout.withMapping(mapping.name());
    return shown(name, super.restart(name, kept, copy, next));
  }

  private CompletionStage<CollectionRecord> shown(
      String name, CompletionStage<CollectionRecord> kept) {
    return mappings.containsKey(name)
        ? Futures.map(kept, record -> record.withLayout(record.layout().withMapping(null)))
        : kept;
  }

  @Override
  public CompletionStage<Map<String, String>> facts() {
    return Futures.map(
        super.facts(),
        found -> {
          Map<String, String> facts = new LinkedHashMap<>(found);
          mappings.forEach((name, mapping) -> facts.put("mapping of " + name, mapping.name()));
          return facts;
        });
  }

  @Override
  public Metadata metadata() {
    return records;
  }
}
