package dev.kvshift.testkit.clause;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Capability;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.Usage;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The leader's memory of the clients that have used a collection. */
@Needs({Capability.GATE, Capability.USAGE})
public abstract class UsageClause extends Clause {
  @Test
  void usage_newCollection_hasNoClients() {
    Instant before = serverTime().minus(Duration.ofMinutes(1));

    Usage usage = join(fresh(pointLayout()).gate().usage(before));

    assertThat(usage.clients()).isEmpty();
    assertThat(usage.remembered()).isBeforeOrEqualTo(serverTime());
  }

  @Test
  void usage_readOrWrite_isListedFromItsInstantOn() {
    StoreCollection read = fresh(pointLayout());
    StoreCollection written = fresh(pointLayout());
    StoreKey key = freshKey();
    Instant before = serverTime();
    read(read, key);
    write(written, key, Mutation.put(hex("01")));
    Instant after = serverTime();

    for (StoreCollection used : List.of(read, written)) {
      Usage usage = join(used.gate().usage(before));
      assertThat(usage.clients()).hasSize(1);
      Instant seen = usage.clients().get(0).lastSeen();
      assertThat(seen).isBetween(before.minusMillis(1), after);
      assertThat(join(used.gate().usage(seen.plusMillis(1))).clients()).isEmpty();
    }
  }

  @Test
  void usage_requestsOfTheRunner_doNotCount() {
    StoreCollection collection = fresh(pointLayout());
    Instant before = serverTime();

    join(collection.get(freshKey(), call().ungated()));
    join(collection.gate().state());

    assertThat(join(collection.gate().usage(before)).clients()).isEmpty();
  }
}
