package dev.kvshift.testkit.example;

import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.ConnectionString.Parameter;
import dev.kvshift.api.KvException;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreProvider;
import java.time.Clock;
import java.util.List;

/** Opens {@code shelf://NAME}. */
public final class ShelfProvider implements StoreProvider {
  @Override
  public String scheme() {
    return "shelf";
  }

  @Override
  public List<Parameter> parameters() {
    return List.of();
  }

  @Override
  public Store open(ConnectionString string, Context context) {
    string.requireKnown(parameters());
    if (string.hosts().size() != 1) {
      throw new KvException.Permanent("'" + string + "': a shelf has one name: shelf://NAME");
    }
    Shelf shelf = Shelf.of(string.hosts().get(0).name());
    return new ShelfStore(shelf, context.clock(), Clock.systemUTC());
  }
}
