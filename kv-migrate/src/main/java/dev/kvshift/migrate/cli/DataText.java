package dev.kvshift.migrate.cli;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Key;
import dev.kvshift.migrate.internal.data.CollectionData;
import dev.kvshift.migrate.internal.data.KeyNotation;
import dev.kvshift.migrate.internal.data.ValueText;
import dev.kvshift.migrate.internal.ledger.Members;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreKey;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The entries of a collection, as lines for people and as JSON for programs. */
record DataText(KeyNotation keys, ValueText values) {
  private static final int MAX_LINE_VALUE_CHARS = 200;

  /** Returns an entry in a line for each of its members. */
  List<String> lines(Row row) {
    List<String> lines = new ArrayList<>();
    lines.add("key      " + key(row.key(), true, " / "));
    lines.add("version  " + version(row));
    lines.add("expires  " + (row.expiry() == null ? "never" : row.expiry().toString()));
    ValueText.Shown value = values.show(Objects.requireNonNull(row.value()));
    lines.add("value    " + value.text());
    if (value.problem() != null) {
      lines.add("note     " + value.problem());
    }
    return lines;
  }

  static String version(Row row) {
    return row.version() + ", " + Instant.EPOCH.plus(row.version(), ChronoUnit.MICROS);
  }

  /** Returns an entry in one line, with a value of limited length. */
  String line(Row row, boolean withMain) {
    ValueText.Shown value = values.show(Objects.requireNonNull(row.value()));
    String text = value.text();
    return key(row.key(), withMain, "\t")
        + "\t"
        + (text.length() <= MAX_LINE_VALUE_CHARS
            ? text
            : text.substring(0, MAX_LINE_VALUE_CHARS) + "… (" + row.value().size() + " bytes)")
        + (value.problem() == null ? "" : "\t(" + value.problem() + ")");
  }

  private String key(StoreKey key, boolean withMain, String separator) {
    if (!keys.hasClustering()) {
      return keys.showMain(key.main());
    }
    String clustering = keys.showClustering(key.clustering());
    return withMain ? keys.showMain(key.main()) + separator + clustering : clustering;
  }

  /** Returns a page as JSON. */
  Members json(CollectionData.Page page) {
    Members json =
        new Members()
            .withObjects(
                "entries",
                page.rows().stream()
                    .map(row -> json(Key.of(row.key().main(), row.key().clustering()), row))
                    .toList());
    return page.next() == null ? json : json.with("next", page.next());
  }

  /** Returns an entry as JSON; {@code found} is false if there is none. */
  Members json(Key key, @Nullable Row row) {
    Members json = new Members();
    if (keys.hasClustering()) {
      json.with("main", keys.showMain(key.main()))
          .with("mainHex", key.main().toHex())
          .with("clustering", keys.showClustering(key.clustering()))
          .with("clusteringHex", key.clustering().toHex());
    } else {
      json.with("key", keys.showMain(key.main())).with("keyHex", key.main().toHex());
    }
    Bytes value = row == null ? null : row.value();
    json.with("found", value != null);
    if (row != null) {
      json.with("version", row.version());
    }
    if (row != null && row.expiry() != null) {
      json.with("expires", row.expiry().toString());
    }
    if (value != null) {
      ValueText.Shown shown = values.show(value);
      addValue(json, shown);
      json.with("valueBytes", value.size());
      if (shown.problem() != null) {
        json.with("note", shown.problem());
      }
    }
    return json;
  }

  private static void addValue(Members json, ValueText.Shown shown) {
    if (shown.isJson() && shown.text().startsWith("{")) {
      json.withJson("value", shown.text());
    } else {
      json.with("value", shown.text());
    }
  }
}
