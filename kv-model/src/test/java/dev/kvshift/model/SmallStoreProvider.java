package dev.kvshift.model;

import dev.kvshift.api.Capability;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.ConnectionString.Parameter;
import dev.kvshift.api.KvObserver.Concern;
import dev.kvshift.api.KvObserver.Warning;
import dev.kvshift.memory.MemoryOptions;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreProvider;
import java.util.List;

/** An in-memory store that does not cope with large main keys, and warns of it when opened. */
public final class SmallStoreProvider implements StoreProvider {
  @Override
  public String scheme() {
    return "small";
  }

  @Override
  public List<Parameter> parameters() {
    return List.of();
  }

  @Override
  public Store open(ConnectionString string, Context context) {
    context.observer().warned(Warning.of("small", Concern.SIZE, "it is small"));
    return MemoryStoreProvider.open(
        string.hosts().get(0).name(),
        MemoryOptions.defaults().withVersions(context.clock()).without(Capability.LARGE_MAIN_KEYS));
  }
}
