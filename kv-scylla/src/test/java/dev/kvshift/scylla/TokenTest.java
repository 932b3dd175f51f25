package dev.kvshift.scylla;

import static dev.kvshift.scylla.TestStores.await;
import static org.assertj.core.api.Assertions.assertThat;

import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.cql.Row;
import com.datastax.oss.driver.api.core.cql.SimpleStatement;
import com.datastax.oss.driver.api.core.metadata.TokenMap;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Layout;
import dev.kvshift.api.ShardRule;
import dev.kvshift.scylla.internal.session.Sessions;
import dev.kvshift.scylla.internal.session.Settings;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class TokenTest {
  private static final long SEED = 20_261_120;

  @Test
  void token_randomKeys_isTheServersAndTheDrivers() {
    String keyspace = TestStores.newKeyspace();
    Random random = new Random(SEED);
    Settings settings = Settings.of(TestStores.string(keyspace, ""));
    try (Store store = TestStores.open(keyspace);
        CqlSession session = Sessions.open(settings)) {
      StoreCollection points = await(store.open("points", Layout.point(), Claim.ACTIVE));
      StoreCollection ranges =
          await(store.open("ranges", Layout.range(ShardRule.none()), Claim.ACTIVE));
      Map<Bytes, Long> pointTokens = new HashMap<>();
      Map<Bytes, Long> rangeTokens = new HashMap<>();
      TokenMap driver = session.getMetadata().getTokenMap().orElseThrow();
      for (int length = 0; length < 70; length++) {
        Bytes main = random(random, length);
        Bytes shard = random(random, length % 9);
        Call call = Call.within(Duration.ofSeconds(10));
        StoreKey range = StoreKey.of(main, shard, Bytes.empty());
        await(ranges.write(range, Mutation.put(Bytes.empty()), call));
        rangeTokens.put(main.concat(shard), ranges.token(range));
        assertThat(ranges.token(range))
            .isEqualTo(driver(driver, main.asReadOnlyBuffer(), shard.asReadOnlyBuffer()));
        if (length > 0) {
          StoreKey point = StoreKey.of(main, Bytes.empty());
          await(points.write(point, Mutation.put(Bytes.empty()), call));
          pointTokens.put(main, points.token(point));
          assertThat(points.token(point)).isEqualTo(driver(driver, main.asReadOnlyBuffer()));
        }
      }
      assertThat(server(session, "SELECT token(main), main FROM " + keyspace + ".points_i1"))
          .isEqualTo(pointTokens);
      assertThat(
              server(
                  session,
                  "SELECT token(main, shard), main, shard FROM " + keyspace + ".ranges_i1"))
          .isEqualTo(rangeTokens);
    }
  }

  private static long driver(TokenMap tokens, ByteBuffer... parts) {
    return Long.parseLong(tokens.format(tokens.newToken(parts)));
  }

  private static Map<Bytes, Long> server(CqlSession session, String query) {
    Map<Bytes, Long> tokens = new HashMap<>();
    for (Row row : session.execute(SimpleStatement.newInstance(query))) {
      Bytes key = Bytes.of(row.getByteBuffer(1));
      if (row.size() > 2) {
        key = key.concat(Bytes.of(row.getByteBuffer(2)));
      }
      tokens.put(key, row.getLong(0));
    }
    return tokens;
  }

  private static Bytes random(Random random, int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return Bytes.of(bytes);
  }
}
