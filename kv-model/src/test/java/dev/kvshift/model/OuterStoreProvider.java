package dev.kvshift.model;

import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.ConnectionString.Parameter;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreProvider;
import java.util.List;

/** A store that is another one, opened by what its opener lends. */
public final class OuterStoreProvider implements StoreProvider {
  @Override
  public String scheme() {
    return "outer";
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(Parameter.required("inner", "the store underneath"));
  }

  @Override
  public Store open(ConnectionString string, Context context) {
    return context.open(ConnectionString.parse(string.require("inner")));
  }
}
