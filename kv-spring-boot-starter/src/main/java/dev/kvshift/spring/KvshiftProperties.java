package dev.kvshift.spring;

import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * The properties of a service's store. Read once, when the context starts.
 *
 * @param url the connection string of the store
 * @param observations whether each operation is an observation, for traces, instead of a metric
 * @param pingTimeout how long the health indicator waits for the store, 1 ms to 1 min
 */
@ConfigurationProperties("kvshift")
record KvshiftProperties(
    @Nullable String url,
    @DefaultValue("false") boolean observations,
    @DefaultValue("2s") Duration pingTimeout) {

  /** Leaves out the connection string, which may hold a password. */
  @Override
  public String toString() {
    return "KvshiftProperties[observations=" + observations + ", pingTimeout=" + pingTimeout + "]";
  }
}
