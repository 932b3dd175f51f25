package dev.kvshift.migrate.cli;

import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Range;
import dev.kvshift.api.WriteOptions;
import dev.kvshift.migrate.internal.data.CollectionData;
import dev.kvshift.spi.Row;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The commands that show and change the entries of a collection, for people. */
final class DataCommands {
  private DataCommands() {}

  /** The part that all data commands share. */
  @Command(mixinStandardHelpOptions = true)
  private abstract static class DataCommand implements Callable<Integer> {
    @Spec CommandSpec spec = CommandSpec.create();

    @Mixin DataOptions options = new DataOptions();

    int with(ToIntFunction<DataOptions.Opened> command) {
      try (DataOptions.Opened opened = options.open()) {
        return command.applyAsInt(opened);
      }
    }

    void out(String line) {
      PrintWriter out = spec.commandLine().getOut();
      out.println(line);
      out.flush();
    }

    void err(String line) {
      PrintWriter err = spec.commandLine().getErr();
      err.println(line);
      err.flush();
    }
  }

  /** A command that is about one key. */
  private abstract static class KeyCommand extends DataCommand {
    @Parameters(
        index = "2",
        paramLabel = "KEY",
        description =
            "Key, or main key of a range collection: its parts, separated by ';', such as"
                + " 'java.util;7'. Without a model each has its type: 'string:java.util;uint64:7'."
                + " 0x begins the encoded key in hexadecimal.")
    String main = "";

    @Parameters(
        index = "3",
        arity = "0..1",
        paramLabel = "CLUSTERING",
        description = "Clustering key, in a range collection.")
    @Nullable String clustering;
  }

  /** A command that changes an entry. */
  private abstract static class WriteCommand extends KeyCommand {
    @Option(
        names = "--yes",
        description = "Writes to the old store although a migration of the collection has begun.")
    private boolean isConfirmed;

    int write(DataOptions.Opened opened, Consumer<KvCollection> write) {
      if (opened.isReadOnly()) {
        throw new KvException.Permanent(
            "the connection string says access=read: leave that out to write");
      }
      String migration = opened.data().migration();
      if (migration != null && !isConfirmed) {
        throw new KvException.Permanent(
            "collection "
                + opened.name()
                + " is being migrated ("
                + migration
                + "): write through transition://, as its services do, or give --yes");
      }
      write.accept(KvStore.over(opened.store()).collection(opened.name(), opened.layout()));
      return ExitCode.OK;
    }
  }

  /** Shows one entry. */
  @Command(
      name = "get",
      description = {
        "Shows an entry of a collection: version, expiry and value. Exits with 9 if there is none.",
        "%nWorks on every store, also on one that a migration fills. Changes nothing."
      })
  static final class Get extends KeyCommand {
    @Override
    public Integer call() {
      return with(
          opened -> {
            Key key = opened.keys().key(main, clustering);
            Row row = opened.data().get(key);
            DataText text = new DataText(opened.keys(), opened.values());
            if (options.json) {
              out(text.json(key, row).toString());
            } else if (row == null || row.isTombstone()) {
              err(
                  row == null
                      ? "no entry"
                      : "no entry: deleted or expired, version " + DataText.version(row));
            } else {
              text.lines(row).forEach(this::out);
            }
            return row == null || row.isTombstone() ? ExitCode.ABSENT : ExitCode.OK;
          });
    }
  }

  /** Writes one entry. */
  @Command(
      name = "put",
      description = {
        "Writes an entry of a collection, as a service would.",
        "%nThe value is JSON if the model or --descriptor says that values are protobuf messages,"
            + " otherwise text. 0x begins its bytes in hexadecimal."
      })
  static final class Put extends WriteCommand {
    /** With the optional clustering key before it, the value is the last of what follows. */
    @Parameters(
        index = "4",
        arity = "0..1",
        paramLabel = "VALUE",
        description = "Value. In a point collection it follows the key.")
    private @Nullable String value;

    @Option(
        names = "--file",
        paramLabel = "FILE",
        description = "Reads the value's text from a file, without the line's end.")
    private @Nullable Path file;

    @Option(
        names = "--ttl-seconds",
        paramLabel = "S",
        description = "TTL of the entry (default: that of the model, otherwise none).")
    private @Nullable Long ttlSeconds;

    @Override
    public Integer call() {
      return with(
          opened -> {
            boolean isRange = opened.keys().hasClustering();
            String given = isRange ? value : clustering;
            if ((given == null) == (file == null) || (!isRange && value != null)) {
              throw new KvException.Permanent(
                  isRange
                      ? "give a main key, a clustering key and a value"
                      : "give a key and a value, and nothing behind them");
            }
            String text = file == null ? given : read(file);
            Key key = opened.keys().key(main, isRange ? clustering : null);
            Bytes bytes = opened.values().parse(Objects.requireNonNull(text));
            Duration ttl = ttlSeconds == null ? opened.ttl() : Duration.ofSeconds(ttlSeconds);
            WriteOptions write = ttl == null ? WriteOptions.none() : WriteOptions.ttl(ttl);
            return write(opened, collection -> collection.put(key, bytes, write));
          });
    }

    private static String read(Path file) {
      try {
        return Files.readString(file).stripTrailing();
      } catch (IOException e) {
        throw new KvException.Permanent("the value cannot be read: " + e + ": check its path", e);
      }
    }
  }

  /** Deletes one entry. */
  @Command(
      name = "delete",
      description =
          "Deletes an entry of a collection, as a service would. Succeeds if there is none.")
  static final class Delete extends WriteCommand {
    @Override
    public Integer call() {
      return with(
          opened -> {
            Key key = opened.keys().key(main, clustering);
            return write(opened, collection -> collection.delete(key));
          });
    }
  }

  /** The bounds of a page. */
  private static final class PageOptions {
    @Option(
        names = "--limit",
        paramLabel = "N",
        defaultValue = "20",
        description =
            "Maximum number of entries, 1 to 10000 (default: 20). A page also ends after 16 MiB or"
                + " 10 s.")
    private int limit;

    @Option(
        names = "--after",
        paramLabel = "POSITION",
        description = "Resumes at the position that an earlier page printed.")
    @Nullable String after;

    int limit() {
      if (limit < 1 || limit > CollectionData.MAX_ROWS) {
        throw new KvException.Permanent(
            "--limit " + limit + ": give 1 to " + CollectionData.MAX_ROWS);
      }
      return limit;
    }
  }

  /** A command that lists entries. */
  private abstract static class PageCommand extends DataCommand {
    @Mixin PageOptions page = new PageOptions();

    int print(DataOptions.Opened opened, CollectionData.Page found, boolean withMain) {
      DataText text = new DataText(opened.keys(), opened.values());
      if (options.json) {
        out(text.json(found).toString());
        return ExitCode.OK;
      }
      found.rows().forEach(row -> out(text.line(row, withMain)));
      if (found.next() != null) {
        err("more: --after " + found.next());
      }
      return ExitCode.OK;
    }
  }

  /** Lists the entries of a main key. */
  @Command(
      name = "range",
      description = {
        "Lists entries of one main key in the order of their clustering keys, a page at a time.",
        "%nPrints clustering key and value, separated by a tab. The position of the next page goes"
            + " to standard error; it holds on the other store of a migration, too."
      })
  static final class ReadRange extends PageCommand {
    @Parameters(index = "2", paramLabel = "MAIN", description = "Main key, as for get.")
    private String main = "";

    @Option(
        names = "--from",
        paramLabel = "KEY",
        description = "Lowest clustering key, or its first parts; inclusive.")
    private @Nullable String from;

    @Option(
        names = "--to",
        paramLabel = "KEY",
        description = "Clustering key, or its first parts, before which the range ends.")
    private @Nullable String to;

    @Option(names = "--backward", description = "Begins at the end.")
    private boolean isBackward;

    @Override
    public Integer call() {
      return with(
          opened -> {
            if (!opened.keys().hasClustering()) {
              throw new KvException.Permanent(
                  "collection " + opened.name() + " is a point collection: use get or scan");
            }
            Range range =
                Range.all()
                    .withFrom(from == null ? null : opened.keys().bound(from), true)
                    .withTo(to == null ? null : opened.keys().bound(to), false);
            return print(
                opened,
                opened
                    .data()
                    .range(
                        opened.keys().main(main),
                        isBackward ? range.backward() : range,
                        page.limit(),
                        page.after),
                false);
          });
    }
  }

  /** Lists the entries of a collection. */
  @Command(
      name = "scan",
      description = {
        "Lists entries of a collection in the store's own order, a page at a time.",
        "%nPrints the parts of the key and the value, separated by tabs. The position of the next"
            + " page goes to standard error; it holds on this store only. transition:// has no scan:"
            + " scan one of its stores."
      })
  static final class Scan extends PageCommand {
    @Override
    public Integer call() {
      return with(opened -> print(opened, opened.data().scan(page.limit(), page.after), true));
    }
  }
}
