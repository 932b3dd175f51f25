package dev.kvshift.scylla.internal.session;

import static org.assertj.core.api.Assertions.assertThat;

import com.datastax.oss.driver.api.core.DefaultConsistencyLevel;
import com.datastax.oss.driver.api.core.cql.BatchStatement;
import com.datastax.oss.driver.api.core.cql.DefaultBatchType;
import com.datastax.oss.driver.api.core.cql.SimpleStatement;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.Layout;
import dev.kvshift.scylla.TestStores;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import java.time.Duration;
import org.junit.jupiter.api.Test;

final class SpeculativeReadsTest {
  private static SimpleStatement statement(String query) {
    return SimpleStatement.newInstance(query).setIdempotent(true);
  }

  @Test
  void isPlainRead_readsThatAreNotSerial_alone() {
    SimpleStatement read = statement("SELECT v FROM t WHERE main = 0x6d");
    assertThat(SpeculativeReads.isPlainRead(read)).isTrue();
    assertThat(
            SpeculativeReads.isPlainRead(
                read.setConsistencyLevel(DefaultConsistencyLevel.LOCAL_QUORUM)))
        .isTrue();
    assertThat(
            SpeculativeReads.isPlainRead(read.setConsistencyLevel(DefaultConsistencyLevel.SERIAL)))
        .isFalse();
    assertThat(SpeculativeReads.isPlainRead(statement("UPDATE t SET v = 0x SELECT "))).isFalse();
    assertThat(SpeculativeReads.isPlainRead(BatchStatement.newInstance(DefaultBatchType.UNLOGGED)))
        .isFalse();
  }

  @Test
  void store_withCompressionAndSpeculativeReads_writesAndReads() {
    String keyspace = TestStores.newKeyspace();
    ConnectionString string = TestStores.string(keyspace, "&speculativeReads=1ms&compression=lz4");
    try (Store store = TestStores.open(string, VersionClock.ofProcess())) {
      StoreCollection files = TestStores.await(store.open("files", Layout.point(), Claim.ACTIVE));
      StoreKey key = StoreKey.of(Bytes.utf8("m"), Bytes.empty());
      Mutation mutation = Mutation.put(Bytes.of(new byte[300_000]));
      TestStores.await(files.write(key, mutation, Call.within(Duration.ofSeconds(20))));
      assertThat(TestStores.await(files.get(key, Call.within(Duration.ofSeconds(20)))).value())
          .isEqualTo(mutation.value());
    }
    TestStores.drop(keyspace);
  }
}
