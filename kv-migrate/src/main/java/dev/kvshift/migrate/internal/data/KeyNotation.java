package dev.kvshift.migrate.internal.data;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException.InvalidArgument;
import dev.kvshift.api.Layout;
import dev.kvshift.model.Model;
import dev.kvshift.model.PointModel;
import dev.kvshift.model.RangeModel;
import dev.kvshift.model.key.KeyFormat;
import dev.kvshift.model.key.Keys;
import org.jspecify.annotations.Nullable;

/**
 * The keys of a collection as text, in both directions. With a model, parts have its types: {@code
 * java.util;7}. Without one, each part names its type: {@code string:java.util;uint64:7}. Keys in a
 * company's own form are {@link PlainText}. {@code 0x} begins the bytes of any key. Immutable.
 */
public final class KeyNotation {
  private final Layout layout;
  private final @Nullable KeyFormat<?> main;
  private final @Nullable KeyFormat<?> clustering;

  private KeyNotation(
      Layout layout, @Nullable KeyFormat<?> main, @Nullable KeyFormat<?> clustering) {
    this.layout = layout;
    this.main = main;
    this.clustering = clustering;
  }

  /** Returns the notation of a collection's keys; the model is null if there is none. */
  public static KeyNotation of(Layout layout, @Nullable Model model) {
    if (model instanceof PointModel<?, ?> point) {
      return new KeyNotation(layout, point.key(), null);
    }
    return model instanceof RangeModel<?, ?, ?> range
        ? new KeyNotation(layout, range.main(), range.clustering())
        : new KeyNotation(layout, null, null);
  }

  /** Returns whether the collection is read by ranges, so that keys have a clustering part. */
  public boolean hasClustering() {
    return layout.shape() == Layout.Shape.RANGE;
  }

  /**
   * Returns the key of its parts as text.
   *
   * @throws InvalidArgument if it has a part too few or too many, or one of another form
   */
  public Key key(String mainText, @Nullable String clusteringText) {
    if (hasClustering() == (clusteringText == null)) {
      throw new InvalidArgument(
          hasClustering()
              ? "the clustering key is missing: give it after the main key"
              : "the collection has one key only: leave out '" + clusteringText + "'");
    }
    return clusteringText == null
        ? Key.of(main(mainText))
        : Key.of(main(mainText), whole(clustering, clusteringText));
  }

  /** Returns the main key of a text. */
  public Bytes main(String text) {
    return whole(main, text);
  }

  /** Returns the bound of a range: a clustering key, or its first parts. */
  public Bytes bound(String text) {
    KeyFormat<?> format = clustering;
    return format == null ? untyped(text) : format.encodeFirstParts(text);
  }

  private Bytes whole(@Nullable KeyFormat<?> format, String text) {
    if (format == null) {
      return untyped(text);
    }
    Bytes bytes = format.encodeText(text);
    // Digits after 0x may be the key of another format.
    format.decode(bytes);
    return bytes;
  }

  private Bytes untyped(String text) {
    return layout.encoding() == 0 ? PlainText.parse(text) : Keys.encodeText(text);
  }

  /** Returns a main key as text. */
  public String showMain(Bytes key) {
    return show(main, key);
  }

  /** Returns a clustering key as text. */
  public String showClustering(Bytes key) {
    return show(clustering, key);
  }

  private String show(@Nullable KeyFormat<?> format, Bytes key) {
    int parts = format == null ? layout.encoding() : format.partCount();
    if (parts == 0) {
      return PlainText.show(key);
    }
    String text = Keys.show(key);
    return text.equals(key.toString()) ? PlainText.hex(key) : text;
  }
}
