package dev.kvshift.migrate.internal.context;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.RangePage.Stop;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.RowPage;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.util.List;
import java.util.concurrent.CompletionStage;

/** The rows of one main key, whatever the shape of its collection. */
public final class MainKey {
  private MainKey() {}

  /**
   * Checks that a side can hold rows of a main key. Local.
   *
   * @throws KvException.InvalidArgument if it cannot, saying why
   */
  public static void require(StoreCollection side, Bytes main) {
    side.check(StoreKey.of(main, Bytes.empty()), Mutation.delete());
  }

  /**
   * Reads a page of the rows of a main key. A point collection has one row at most.
   *
   * @param range the clustering keys that are left to read
   */
  public static CompletionStage<RowPage> page(
      StoreCollection side, Bytes main, Range range, PageLimit limit, Call call) {
    return side.layout().shape() == Layout.Shape.RANGE
        ? side.range(main, Bytes.empty(), range, limit, call)
        : side.get(StoreKey.of(main, Bytes.empty()), call)
            .thenApply(row -> RowPage.of(row == null ? List.of() : List.of(row), Stop.END, null));
  }
}
