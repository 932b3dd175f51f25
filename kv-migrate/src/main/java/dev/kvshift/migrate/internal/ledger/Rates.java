package dev.kvshift.migrate.internal.ledger;

import com.google.common.base.Ticker;
import dev.kvshift.migrate.api.MigrationOptions;
import dev.kvshift.migrate.api.ScanRate;
import dev.kvshift.migrate.internal.context.ScanThrottle;
import java.time.Clock;
import java.time.LocalTime;
import java.time.ZoneId;

/**
 * The rate that a person has set while tasks run, in place of the configuration's. Ledger key
 * {@code rates}; there is none while the configuration counts.
 *
 * @param scans the rate at which copying and comparing may read
 */
public record Rates(ScanRate scans) {
  /** The key of the record. */
  public static final LedgerKey<Rates> KEY =
      new LedgerKey<>(
          "rates",
          rates -> new Members().with("scanRowsPerSecond", rates.scans.rowsPerSecond().orElse(0)),
          members -> new Rates(rate(members.count("scanRowsPerSecond"))));

  /**
   * Returns the rate that a person has set, or that of the configuration for this time of the day
   * if nobody has.
   */
  public static ScanRate now(Ledger ledger, MigrationOptions options, Clock clock) {
    Rates set = ledger.get(KEY);
    return set == null
        ? options.scanRate(LocalTime.ofInstant(clock.instant(), ZoneId.systemDefault()))
        : set.scans;
  }

  /**
   * Returns a throttle at the present rate, whose pages have no more rows than may be in flight.
   */
  public static ScanThrottle throttle(Ledger ledger, MigrationOptions options, Clock clock) {
    return new ScanThrottle(
        now(ledger, options, clock),
        Math.min(options.pageRows(), options.maxInFlight()),
        options.latencyLimit(),
        Ticker.systemTicker());
  }

  private static ScanRate rate(int rows) {
    return rows == 0 ? ScanRate.unlimited() : ScanRate.rowsPerSecond(rows);
  }
}
