package dev.kvshift.fuzz;

import dev.kvshift.api.ConnectionStringFuzz;
import dev.kvshift.api.ContinuationFuzz;
import dev.kvshift.api.LayoutFuzz;
import dev.kvshift.legacy.server.RequestFuzz;
import dev.kvshift.legacy.server.internal.admission.FrameFuzz;
import dev.kvshift.legacy.server.internal.storage.GateRecordFuzz;
import dev.kvshift.legacy.wire.ReplyFuzz;
import dev.kvshift.legacy.wire.RowBlockFuzz;
import dev.kvshift.memory.TokenKeyFuzz;
import dev.kvshift.migrate.internal.apply.CommitNoteFuzz;
import dev.kvshift.migrate.internal.ledger.LedgerFuzz;
import dev.kvshift.migrate.internal.stream.TopicRecordFuzz;
import dev.kvshift.model.internal.encoding.ShardingFuzz;
import dev.kvshift.model.key.KeyFuzz;
import dev.kvshift.scylla.internal.cql.CellFuzz;
import dev.kvshift.scylla.internal.scan.ScanPositionFuzz;
import dev.kvshift.scylla.internal.scan.SweepRecordFuzz;
import dev.kvshift.spi.CollectionRecordFuzz;
import dev.kvshift.spi.CopyFuzz;
import dev.kvshift.transition.GateTextFuzz;
import java.util.List;

/** All targets. */
final class FuzzTargets {
  static final List<FuzzTarget> ALL =
      List.of(
          new ConnectionStringFuzz(),
          new LayoutFuzz(),
          new ContinuationFuzz(),
          new CollectionRecordFuzz(),
          new CopyFuzz(),
          new TokenKeyFuzz(),
          new KeyFuzz(),
          new ShardingFuzz(),
          new RowBlockFuzz(),
          new ReplyFuzz(),
          new FrameFuzz(),
          new GateRecordFuzz(),
          new ScanPositionFuzz(),
          new SweepRecordFuzz(),
          new CellFuzz(),
          new TopicRecordFuzz(),
          new CommitNoteFuzz(),
          new LedgerFuzz(),
          new RequestFuzz(),
          new GateTextFuzz());

  private FuzzTargets() {}

  static FuzzTarget named(String name) {
    return ALL.stream().filter(target -> target.name().equals(name)).findFirst().orElseThrow();
  }
}
