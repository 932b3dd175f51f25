package dev.kvshift.model.key;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.model.internal.encoding.KeyReader;
import dev.kvshift.model.internal.encoding.KeyWriter;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where keys that another system formed fall into a main and a clustering part, which stay as they
 * are. Made by {@link Keys#splitAt} and {@link Keys#splitBehind}. Immutable.
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
  private final int position;
  private final @Nullable Bytes delimiter;
  private final KeyFormat<Bytes> main;

  private KeySplit(int position, @Nullable Bytes delimiter) {
    this.position = position;
    this.delimiter = delimiter;
    this.main = new Main();
  }

  static KeySplit at(int position) {
    if (position < 0) {
      throw new IllegalArgumentException("split position " + position + ": give 0 or more");
    }
    return new KeySplit(position, null);
  }

  static KeySplit behind(Bytes delimiter) {
    if (delimiter.isEmpty()) {
      throw new IllegalArgumentException("the delimiter is empty: give at least one byte");
    }
    return new KeySplit(0, delimiter);
  }

  /** Returns the format of main parts, which refuses those that no whole key can have. */
  public KeyFormat<Bytes> main() {
    return main;
  }

  /** Returns the format of clustering parts: any bytes. */
  public KeyFormat<Bytes> clustering() {
    return Keys.asIs();
  }

  /**
   * Returns the parts of a whole key.
   *
   * @throws KvException.Permanent if it is too short or has no delimiter
   */
  public RangeKey<Bytes, Bytes> split(Bytes whole) {
    Bytes between = delimiter;
    int end = between == null ? position : find(whole, between);
    if (end < 0 || end > whole.size()) {
      throw new KvException.Permanent("key " + whole + " cannot be split, " + described());
    }
    int next = between == null ? end : end + between.size();
    return new RangeKey<>(whole.slice(0, end), whole.slice(next, whole.size()));
  }

  /**
   * Returns the whole key of two parts.
   *
   * @throws KvException.Permanent if it would be split elsewhere
   */
  public Bytes join(Bytes mainPart, Bytes clusteringPart) {
    requireMain(mainPart);
    return delimiter == null
        ? mainPart.concat(clusteringPart)
        : mainPart.concat(delimiter).concat(clusteringPart);
  }

  private Bytes requireMain(Bytes part) {
    Bytes between = delimiter;
    boolean isRight =
        between == null
            ? part.size() == position
            : find(part.concat(between), between) == part.size();
    if (!isRight) {
      throw new KvException.Permanent("main part " + part + " does not fit, " + described());
    }
    return part;
  }

  private String described() {
    return delimiter == null
        ? "the model splits at " + position + " bytes: give a key of at least so many"
        : "the model splits behind the first delimiter " + delimiter + ": check the model";
  }

  private static int find(Bytes in, Bytes what) {
    for (int start = 0; start <= in.size() - what.size(); start++) {
      int same = 0;
      while (same < what.size() && in.at(start + same) == what.at(same)) {
        same++;
      }
      if (same == what.size()) {
        return start;
      }
    }
    return -1;
  }

  private final class Main extends KeyFormat<Bytes> {
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
