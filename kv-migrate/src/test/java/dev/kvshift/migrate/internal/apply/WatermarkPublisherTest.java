package dev.kvshift.migrate.internal.apply;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Layout;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.migrate.api.MigrationOptions;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.context.RunContext;
import dev.kvshift.migrate.internal.context.SourceCollection;
import dev.kvshift.migrate.internal.context.TargetCollection;
import dev.kvshift.migrate.internal.context.WorkerPool;
import dev.kvshift.migrate.internal.stream.SentVersions;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.time.Clock;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class WatermarkPublisherTest {
  private static final Layout LAYOUT = Layout.point();

  private final String name = UUID.randomUUID().toString();
  private final Store source = MemoryStoreProvider.open("from-" + name);
  private final Store target = MemoryStoreProvider.open("to-" + name);
  private final StoreCollection from = Await.of(source.open("files", LAYOUT, Claim.ACTIVE));
  private final WorkerPool workers = new WorkerPool("workers");

  @AfterEach
  void close() {
    workers.close();
    source.close();
    target.close();
  }

  @Test
  void publish_beforeAndAfterTheCopy_isNothingThenTheVersion() {
    long version =
        Await.of(
            from.write(
                StoreKey.of(Bytes.utf8("key"), Bytes.empty()),
                Mutation.put(Bytes.utf8("value")),
                Call.within(Duration.ofSeconds(10))));
    TopicProgress applied = new TopicProgress(1);
    applied.advance(0, 1, 1, null);
    AtomicBoolean isCopied = new AtomicBoolean();
    try (WatermarkPublisher publisher =
        new WatermarkPublisher(context(), new SentVersions(1, version), applied, isCopied::get)) {
      publisher.publish();
      assertThat(published()).as("older rows are not on the target").isZero();

      isCopied.set(true);
      publisher.publish();
      assertThat(published()).isEqualTo(version);
    }
  }

  private long published() {
    return Await.of(from.gate().state()).applied();
  }

  private RunContext context() {
    return new RunContext(
        "files",
        LAYOUT,
        new SourceCollection(source, from, 0),
        new TargetCollection(target, Await.of(target.open("files", LAYOUT, Claim.ACTIVE)), null),
        MigrationOptions.defaults(),
        Clock.systemUTC(),
        workers);
  }
}
