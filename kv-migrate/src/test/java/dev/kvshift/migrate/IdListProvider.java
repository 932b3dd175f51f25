package dev.kvshift.migrate;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.StoreProvider;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * A company's driver: a cluster of which nothing but {@code get} is used, a sorted file of ids, and
 * an authority beside it, as docs/sources.md describes them.
 */
public final class IdListProvider implements StoreProvider {
  /** The version of every row, below everything that services write to the new store. */
  private static final long VERSION = 1;

  /** Called by {@link java.util.ServiceLoader}. */
  public IdListProvider() {}

  @Override
  public String scheme() {
    return "idlist";
  }

  @Override
  public List<ConnectionString.Parameter> parameters() {
    return List.of(
        ConnectionString.Parameter.required("cluster", "the store to get entries from"),
        ConnectionString.Parameter.required("authority", "the store that keeps the gate"));
  }

  @Override
  public Store open(ConnectionString string, Context context) {
    Store cluster = context.open(ConnectionString.parse(string.parameters().get("cluster")));
    Store authority = context.open(ConnectionString.parse(string.parameters().get("authority")));
    return Intercepted.of(authority, new ByIds(cluster, authority, Path.of(string.path())));
  }

  /** Answers reads and scans from the cluster; all else is the authority's. */
  private static final class ByIds implements Intercepted.Fault {
    private final Store cluster;
    private final Store authority;
    private final Path ids;
    private volatile @Nullable StoreCollection rows;
    private volatile @Nullable StoreCollection tokens;

    ByIds(Store cluster, Store authority, Path ids) {
      this.cluster = cluster;
      this.authority = authority;
      this.ids = ids;
    }

    @Override
    public CompletionStage<?> around(
        Class<?> type, String method, Object[] arguments, Intercepted.Request request) {
      if (type == Store.class && method.equals("open")) {
        String name = (String) arguments[0];
        Layout layout = (Layout) arguments[1];
        rows = cluster.open(name, layout, Claim.NONE).toCompletableFuture().join();
        return authority
            .open(name, layout, Claim.ACTIVE)
            .thenApply(
                opened -> {
                  tokens = opened;
                  return opened;
                });
      }
      if (type == StoreCollection.class && method.equals("get")) {
        return get((StoreKey) arguments[0], (Call) arguments[1]);
      }
      return type == StoreCollection.class && method.equals("scan")
          ? CompletableFuture.completedFuture(
              scan(
                  (ScanTask) arguments[0],
                  (Bytes) arguments[1],
                  (PageLimit) arguments[2],
                  (Call) arguments[3]))
          : request.send();
    }

    private CompletionStage<@Nullable Row> get(StoreKey key, Call call) {
      return rows.get(key, call)
          .thenApply(
              row ->
                  row == null || row.isTombstone()
                      ? null
                      : Row.of(key, VERSION, row.value(), null));
    }

    private ScanPage scan(ScanTask task, @Nullable Bytes position, PageLimit limit, Call call) {
      List<Row> found = new ArrayList<>();
      for (Bytes id : readIds()) {
        StoreKey key = StoreKey.of(id, Bytes.empty());
        if ((position == null || id.compareTo(position) > 0) && task.contains(tokens.token(key))) {
          @Nullable Row row = get(key, call).toCompletableFuture().join();
          if (row != null) {
            found.add(row);
          }
          if (found.size() == limit.entries()) {
            return ScanPage.of(found, id);
          }
        }
      }
      return ScanPage.of(found, null);
    }

    private List<Bytes> readIds() {
      try {
        return Files.readAllLines(ids).stream().map(Bytes::utf8).sorted().toList();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public void local(String method, Object[] arguments) {
      if (method.equals("close")) {
        cluster.close();
      }
    }

    @Override
    @SuppressWarnings("unchecked")
    public Object answered(String method, Object answer) {
      if (!method.equals("capabilities")) {
        return answer;
      }
      Set<Capability> left = EnumSet.copyOf((Set<Capability>) answer);
      left.removeAll(EnumSet.of(Capability.VERSIONED_WRITES, Capability.TOMBSTONE_READS));
      return left;
    }
  }
}
