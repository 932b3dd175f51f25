package dev.kvshift.scylla.internal.scan;

import static dev.kvshift.scylla.TestStores.await;

import com.datastax.oss.driver.api.core.CqlSession;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.Layout.Shape;
import dev.kvshift.scylla.InterceptedSession;
import dev.kvshift.scylla.internal.cql.CellSizes;
import dev.kvshift.scylla.internal.cql.ChunkCql;
import dev.kvshift.scylla.internal.cql.CollectionCql;
import dev.kvshift.scylla.internal.cql.Dialect;
import dev.kvshift.scylla.internal.cql.TableNames;
import dev.kvshift.scylla.internal.read.ChunkReader;
import dev.kvshift.scylla.internal.read.RowReader;
import dev.kvshift.scylla.internal.scan.ChunkSweep.Swept;
import dev.kvshift.scylla.internal.schema.CollectionStatements;
import dev.kvshift.scylla.internal.schema.Schema;
import dev.kvshift.scylla.internal.session.Requests;
import dev.kvshift.scylla.internal.session.Sessions;
import dev.kvshift.scylla.internal.session.Settings;
import dev.kvshift.spi.VersionClock;
import java.time.Duration;

/** A sweep of the chunks of the point collection "points". */
public final class PointSweep {
  private PointSweep() {}

  /** Sweeps once. Returns how many values were removed. */
  public static long run(ConnectionString string, Duration grace) {
    return run(string, grace, (statement, real) -> real.apply(statement)).removed();
  }

  static Swept run(ConnectionString string, Duration grace, InterceptedSession.Hook hook) {
    Settings settings = Settings.of(string);
    VersionClock clock = VersionClock.ofProcess();
    try (CqlSession session = InterceptedSession.of(Sessions.open(settings), hook)) {
      Requests requests = new Requests(session, settings);
      Dialect dialect = await(Schema.dialect(requests));
      String keyspace = settings.keyspace();
      ChunkCql chunks = new ChunkCql(keyspace, TableNames.chunks("points", 1), dialect);
      CollectionCql table =
          CollectionCql.of(keyspace, TableNames.data("points", 1), Shape.POINT, dialect);
      RowReader rows =
          new RowReader(
              "points",
              await(CollectionStatements.prepare(requests, table, clock)),
              await(ChunkReader.prepare(requests, chunks)),
              requests,
              clock,
              new CellSizes(settings.maxCellBytes()));
      ChunkSweep sweep = await(ChunkSweep.prepare(requests, chunks, rows, clock, grace));
      Swept sum = Swept.NOTHING;
      for (int range = 0; range < ChunkSweep.ranges(); range++) {
        sum = sum.plus(await(sweep.range(range)));
      }
      return sum;
    }
  }
}
