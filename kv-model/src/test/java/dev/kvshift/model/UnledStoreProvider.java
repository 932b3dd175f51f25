package dev.kvshift.model;

import dev.kvshift.api.Capability;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.ConnectionString.Parameter;
import dev.kvshift.memory.MemoryOptions;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreProvider;
import java.util.List;

/** An in-memory store without a leader. */
public final class UnledStoreProvider implements StoreProvider {
  @Override
  public String scheme() {
    return "unled";
  }

  @Override
  public List<Parameter> parameters() {
    return List.of();
  }

  @Override
  public Store open(ConnectionString string, Context context) {
    return MemoryStoreProvider.open(
        string.hosts().get(0).name(),
        MemoryOptions.defaults()
            .withVersions(context.clock())
            .without(
                Capability.GATE,
                Capability.FENCING,
                Capability.CHANGE_SOURCE,
                Capability.CHANGE_CONSUMERS));
  }
}
