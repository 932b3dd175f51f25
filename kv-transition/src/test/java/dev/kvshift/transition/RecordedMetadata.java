package dev.kvshift.transition;

import dev.kvshift.api.Bytes;
import dev.kvshift.spi.Metadata;
import java.util.List;
import java.util.SortedMap;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Records that note each request, such as {@code get gate/items} or {@code committed get …}. */
record RecordedMetadata(Metadata inner, List<String> requests, String kind) implements Metadata {
  RecordedMetadata(Metadata inner, List<String> requests) {
    this(inner, requests, "");
  }

  @Override
  public Metadata committed() {
    return new RecordedMetadata(inner.committed(), requests, "committed ");
  }

  @Override
  public CompletionStage<@Nullable Bytes> get(String name) {
    requests.add(kind + "get " + name);
    return inner.get(name);
  }

  @Override
  public CompletionStage<SortedMap<String, Bytes>> list(String prefix, String after, int limit) {
    requests.add(kind + "list " + prefix);
    return inner.list(prefix, after, limit);
  }

  @Override
  public CompletionStage<Boolean> compareAndSet(
      String name, @Nullable Bytes expected, @Nullable Bytes next) {
    requests.add("set " + name);
    return inner.compareAndSet(name, expected, next);
  }
}
