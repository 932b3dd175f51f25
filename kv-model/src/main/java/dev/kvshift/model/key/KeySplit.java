package dev.kvshift.model.key;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.model.internal.encoding.KeyReader;
import dev.kvshift.model.internal.encoding.KeyWriter;
import java.util.List;
import java.util.OptionalInt;

/**
 * A rule that splits keys of another system into a main and a clustering part, whose bytes stay
 * unchanged. Created by {@link Keys#splitAt} and {@link Keys#splitBehind}. Immutable.
 *
 * <pre>{@code
 * static final KeySplit SPLIT = splitBehind(Bytes.utf8("/"));
 * static final RangeModel<Bytes, Bytes, Bytes> LEGACY =
 *     Model.range("legacy")
 *         .main(SPLIT.main())
 *         .clustering(SPLIT.clustering())
 *         .shardBy(firstBits(8))
 *         .value(rawBytes());
 * }</pre>
 */
public final class KeySplit {
  private final Rule rule;
  private final KeyFormat<Bytes> main = new MainFormat();

  private KeySplit(Rule rule) {
    this.rule = rule;
  }

  static KeySplit at(int position) {
    if (position < 0) {
      throw new IllegalArgumentException("split position " + position + ": give 0 or more");
    }
    return new KeySplit(new AtPosition(position));
  }

  static KeySplit behind(Bytes delimiter) {
    if (delimiter.isEmpty()) {
      throw new IllegalArgumentException("the delimiter is empty: give at least one byte");
    }
    return new KeySplit(new BehindDelimiter(delimiter));
  }

  /** Returns the format of main parts, which refuses those that no whole key can have. */
  public KeyFormat<Bytes> main() {
    return main;
  }

  /** Returns the format of clustering parts, which can be any bytes. */
  public KeyFormat<Bytes> clustering() {
    return Keys.asIs();
  }

  /**
   * Returns the parts of a whole key.
   *
   * @throws KvException.Permanent if the key is too short or has no delimiter
   */
  public RangeKey<Bytes, Bytes> split(Bytes whole) {
    OptionalInt end = rule.endOfMain(whole);
    if (end.isEmpty()) {
      throw new KvException.Permanent("key " + whole + " cannot be split, " + rule.describe());
    }
    int start = end.getAsInt() + rule.between().size();
    return new RangeKey<>(whole.slice(0, end.getAsInt()), whole.slice(start, whole.size()));
  }

  /**
   * Returns the whole key of two parts.
   *
   * @throws KvException.Permanent if the whole key would be split elsewhere
   */
  public Bytes join(Bytes mainPart, Bytes clusteringPart) {
    return requireMain(mainPart).concat(rule.between()).concat(clusteringPart);
  }

  private Bytes requireMain(Bytes part) {
    OptionalInt end = rule.endOfMain(part.concat(rule.between()));
    if (!end.equals(OptionalInt.of(part.size()))) {
      throw new KvException.InvalidArgument(
          "main part " + part + " does not fit, " + rule.describe());
    }
    return part;
  }

  private sealed interface Rule {
    /** Returns the end, exclusive, of a whole key's main part; empty if it has none. */
    OptionalInt endOfMain(Bytes whole);

    /** Returns the bytes between the parts, which belong to neither. */
    Bytes between();

    String describe();
  }

  private record AtPosition(int position) implements Rule {
    @Override
    public OptionalInt endOfMain(Bytes whole) {
      return position <= whole.size() ? OptionalInt.of(position) : OptionalInt.empty();
    }

    @Override
    public Bytes between() {
      return Bytes.empty();
    }

    @Override
    public String describe() {
      return "the model splits at " + position + " bytes: give a key of at least that size";
    }
  }

  private record BehindDelimiter(Bytes between) implements Rule {
    @Override
    public OptionalInt endOfMain(Bytes whole) {
      for (int start = 0; start <= whole.size() - between.size(); start++) {
        if (isDelimiterAt(whole, start)) {
          return OptionalInt.of(start);
        }
      }
      return OptionalInt.empty();
    }

    private boolean isDelimiterAt(Bytes whole, int start) {
      for (int i = 0; i < between.size(); i++) {
        if (whole.at(start + i) != between.at(i)) {
          return false;
        }
      }
      return true;
    }

    @Override
    public String describe() {
      return "the model splits at the first delimiter " + between + ": check the model";
    }
  }

  private final class MainFormat extends KeyFormat<Bytes> {
    @Override
    public KeyFormat<Bytes> descending() {
      return Keys.asIs().descending();
    }

    @Override
    void write(Bytes key, KeyWriter writer) {
      writer.putRaw(requireMain(key));
    }

    @Override
    Bytes read(KeyReader reader) {
      return requireMain(reader.rest());
    }

    @Override
    List<PartType> parts() {
      return List.of();
    }
  }
}
