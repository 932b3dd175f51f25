package dev.kvshift.scylla.internal.cql;

import dev.kvshift.api.Layout.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Every statement that the driver can send to a server. */
public final class EveryStatement {
  private EveryStatement() {}

  /** Returns the statements of a keyspace and of its collections. */
  public static List<String> of(Dialect dialect) {
    List<String> all =
        new ArrayList<>(new StoreCql("shop", Map.of("dc1", 3, "dc-2", 2), dialect).all());
    all.addAll(new ChunkCql("shop", "files_i1_chunks", dialect).all());
    for (Shape shape : Shape.values()) {
      all.addAll(CollectionCql.of("shop", "files_i1", shape, dialect).all());
    }
    for (String clustering : Arrays.asList(null, "order")) {
      all.addAll(
          CollectionCql.of(
                  new ForeignTable("Old", "Orders", "customerId", clustering, "body"), dialect)
              .all());
    }
    return all;
  }
}
