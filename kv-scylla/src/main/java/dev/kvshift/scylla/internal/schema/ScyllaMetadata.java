package dev.kvshift.scylla.internal.schema;

import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import com.datastax.oss.driver.api.core.cql.BoundStatement;
import com.datastax.oss.driver.api.core.cql.BoundStatementBuilder;
import com.datastax.oss.driver.api.core.cql.PreparedStatement;
import com.datastax.oss.driver.api.core.cql.Row;
import com.datastax.oss.driver.api.core.cql.Statement;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.scylla.internal.cql.StoreCql;
import dev.kvshift.scylla.internal.session.CompareAndSet;
import dev.kvshift.scylla.internal.session.Requests;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Metadata;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The metadata records of a keyspace, changed by conditional statements and read at serial
 * consistency or, by a fleet, {@link #committed at the level of their acknowledgement}.
 *
 * <p>Each change writes a random id of its attempt beside the record, and is conditional on the
 * record and the attempt that it replaces. If an answer is lost, a serial read of the id shows
 * whether the change was applied. A removed record leaves a row without a record, which has the id
 * of the removal.
 */
public final class ScyllaMetadata implements Metadata {
  private static final Pattern NAME = Pattern.compile("[a-z0-9_.:/-]{1,256}");
  private static final String ABOVE_EVERY_NAME = "~";
  private static final int MAX_LIST = 1_000;
  private static final int ATTEMPT_BYTES = 16;

  private final Requests requests;
  private final Statements statements;
  private final Reads reads;

  /** The reads at one consistency. */
  private record Reads(PreparedStatement get, PreparedStatement list) {}

  private record Statements(Reads serial, Reads committed, PreparedStatement set) {}

  private ScyllaMetadata(Requests requests, Statements statements, Reads reads) {
    this.requests = requests;
    this.statements = statements;
    this.reads = reads;
  }

  public static CompletionStage<ScyllaMetadata> open(Requests requests, StoreCql cql) {
    CompletionStage<Reads> serial =
        requests
            .prepareSerialRead(cql.metadataGet())
            .thenCombine(requests.prepareSerialRead(cql.metadataList()), Reads::new);
    CompletionStage<Reads> committed =
        requests
            .prepareCommittedRead(cql.metadataGet())
            .thenCombine(requests.prepareCommittedRead(cql.metadataList()), Reads::new);
    return requests
        .prepareConditional(cql.metadataSet())
        .thenCompose(
            set ->
                serial.thenCombine(
                    committed, (ordered, plain) -> new Statements(ordered, plain, set)))
        .thenApply(all -> new ScyllaMetadata(requests, all, all.serial));
  }

  @Override
  public Metadata committed() {
    return new ScyllaMetadata(requests, statements, statements.committed);
  }

  /** A row: the record, null if it was removed, and the attempt that wrote it. */
  private record Held(@Nullable Bytes record, @Nullable Bytes attempt) {
    static final Held NEVER = new Held(null, null);
  }

  @Override
  public CompletionStage<@Nullable Bytes> get(String name) {
    return Futures.<@Nullable Bytes>start(
        () -> {
          requireName(name);
          return held(reads.get, name, requests.call()).thenApply(Held::record);
        });
  }

  @Override
  public CompletionStage<SortedMap<String, Bytes>> list(String prefix, String after, int limit) {
    if (prefix.indexOf('/') < 1 || limit < 1 || limit > MAX_LIST) {
      return CompletableFuture.failedFuture(
          new KvException.InvalidArgument(
              "listing '"
                  + prefix
                  + "', "
                  + limit
                  + " records: begin with GROUP/ and ask for 1 to "
                  + MAX_LIST));
    }
    String from = after.compareTo(prefix) < 0 ? prefix : behind(after);
    return new Listing(prefix, limit, requests.call()).from(from);
  }

  /** Returns the least name above the given one. */
  private static String behind(String name) {
    return name + '\0';
  }

  /**
   * One listing. Removed records leave rows that count towards the server's limit, so it may take
   * several requests.
   */
  private final class Listing {
    private final String prefix;
    private final int limit;
    private final Call call;
    private final SortedMap<String, Bytes> found = new TreeMap<>();
    private String last = "";
    private int rows;

    Listing(String prefix, int limit, Call call) {
      this.prefix = prefix;
      this.limit = limit;
      this.call = call;
    }

    CompletionStage<SortedMap<String, Bytes>> from(String name) {
      rows = 0;
      return read(
          requests
              .route(reads.list.boundStatementBuilder(), utf8(group(prefix)))
              .setString(0, group(prefix))
              .setString(1, name)
              .setString(2, prefix + ABOVE_EVERY_NAME)
              .setInt(3, limit)
              .setPageSize(limit)
              .build());
    }

    private CompletionStage<SortedMap<String, Bytes>> read(BoundStatement statement) {
      return requests.read(what(), statement, call).thenCompose(page -> take(statement, page));
    }

    private CompletionStage<SortedMap<String, Bytes>> take(
        BoundStatement statement, AsyncResultSet page) {
      for (Row row : page.currentPage()) {
        rows++;
        last = Objects.requireNonNull(row.getString(0));
        ByteBuffer record = row.getBytesUnsafe(1);
        if (record != null && found.size() < limit) {
          found.put(last, Bytes.of(record));
        }
      }
      if (found.size() == limit) {
        return CompletableFuture.completedFuture(found);
      }
      ByteBuffer more = page.getExecutionInfo().getPagingState();
      if (more != null) {
        return read(statement.setPagingState(more));
      }
      return rows < limit ? CompletableFuture.completedFuture(found) : from(behind(last));
    }

    private String what() {
      return "listing metadata " + prefix;
    }
  }

  @Override
  public CompletionStage<Boolean> compareAndSet(
      String name, @Nullable Bytes expected, @Nullable Bytes next) {
    return Futures.start(
        () -> {
          requireName(name);
          requireSize(name, next);
          Call call = requests.call();
          RecordChange change = new RecordChange(name, expected, next, call);
          return expected == null
              ? change.over(Held.NEVER)
              : held(statements.serial.get, name, call).thenCompose(change::over);
        });
  }

  private static void requireSize(String name, @Nullable Bytes record) {
    if (record != null && record.size() > MAX_RECORD_BYTES) {
      throw new KvException.Permanent(
          "metadata "
              + name
              + ": record of "
              + record.size()
              + " bytes, the limit is "
              + MAX_RECORD_BYTES
              + ": make it shorter");
    }
  }

  private static Bytes attempt() {
    UUID id = UUID.randomUUID();
    return Bytes.of(
        ByteBuffer.allocate(ATTEMPT_BYTES)
            .putLong(id.getMostSignificantBits())
            .putLong(id.getLeastSignificantBits())
            .flip());
  }

  /**
   * One change of a record. Its condition names the attempt that wrote the expected record, because
   * a record can come back: A, B, A.
   */
  private final class RecordChange implements CompareAndSet.Target<Held> {
    private final String name;
    private final @Nullable Bytes expected;
    private final @Nullable Bytes next;
    private final Call call;

    RecordChange(String name, @Nullable Bytes expected, @Nullable Bytes next, Call call) {
      this.name = name;
      this.expected = expected;
      this.next = next;
      this.call = call;
    }

    /** Changes the row, if it has the expected record. */
    CompletionStage<Boolean> over(Held found) {
      if (!Objects.equals(found.record(), expected)) {
        return CompletableFuture.completedFuture(false);
      }
      Held changed = new Held(next, attempt());
      return CompareAndSet.run(requests, this, found, changed, call)
          .thenCompose(
              outcome -> {
                if (outcome.row().equals(changed)) {
                  return CompletableFuture.completedFuture(true);
                }
                if (!outcome.isCertain()) {
                  return CompletableFuture.failedFuture(
                      new KvException.UnknownOutcome(
                          what()
                              + " may have been applied before another change: read the record"
                              + " again"));
                }
                return over(outcome.row());
              });
    }

    @Override
    public String what() {
      return "setting metadata " + name;
    }

    @Override
    public CompletionStage<Held> get(Call within) {
      return held(statements.serial.get, name, within);
    }

    @Override
    public Held row(AsyncResultSet answer) {
      Row row = answer.one();
      return row == null || !row.getColumnDefinitions().contains("record")
          ? Held.NEVER
          : new Held(bytes(row.getBytesUnsafe("record")), bytes(row.getBytesUnsafe("attempt")));
    }

    @Override
    public Statement<?> set(Held from, Held to) {
      return requests
          .route(statements.set.boundStatementBuilder(), utf8(group(name)))
          .setBytesUnsafe(0, buffer(to.record()))
          .setBytesUnsafe(1, buffer(to.attempt()))
          .setString(2, group(name))
          .setString(3, name)
          .setBytesUnsafe(4, buffer(from.record()))
          .setBytesUnsafe(5, buffer(from.attempt()))
          .build();
    }
  }

  private CompletionStage<Held> held(PreparedStatement get, String name, Call call) {
    BoundStatementBuilder statement =
        requests
            .route(get.boundStatementBuilder(), utf8(group(name)))
            .setString(0, group(name))
            .setString(1, name);
    return requests
        .read("reading metadata " + name, statement.build(), call)
        .thenApply(
            result -> {
              Row row = result.one();
              return row == null
                  ? Held.NEVER
                  : new Held(bytes(row.getBytesUnsafe(0)), bytes(row.getBytesUnsafe(1)));
            });
  }

  private static @Nullable Bytes bytes(@Nullable ByteBuffer buffer) {
    return buffer == null ? null : Bytes.of(buffer);
  }

  private static @Nullable ByteBuffer buffer(@Nullable Bytes bytes) {
    return bytes == null ? null : bytes.asReadOnlyBuffer();
  }

  private static String group(String name) {
    int slash = name.indexOf('/');
    return slash < 0 ? name : name.substring(0, slash);
  }

  private static ByteBuffer utf8(String text) {
    return Bytes.utf8(text).asReadOnlyBuffer();
  }

  private static void requireName(String name) {
    if (!NAME.matcher(name).matches()) {
      throw new KvException.Permanent(
          "metadata name '" + name + "': give 1 to 256 of a-z, 0-9, '-', '_', '.', ':' and '/'");
    }
  }
}
