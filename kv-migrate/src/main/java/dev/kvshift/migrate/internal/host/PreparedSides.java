package dev.kvshift.migrate.internal.host;

import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.StoreCollection;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Proves by ids that both sides are those that a migration was prepared with, before something of
 * them is deleted.
 *
 * @param outcome what has not happened if a side is another, such as {@code retired}
 */
record PreparedSides(MigrationPlan plan, String outcome) {
  /** Returns the source's collection, which exists. */
  StoreCollection source() {
    return Await.patiently(
        plan.options().patience(),
        () -> plan.source().open(plan.collection(), plan.layout(), Claim.NONE));
  }

  /** Checks that the source's change log is the one that the copy was made from, and returns it. */
  String requireLog(Copy copy) {
    String origin = Await.patiently(plan.options().patience(), () -> source().changes().logId(0));
    require("the source's change log", copy.source(), origin);
    return origin;
  }

  /** Checks that the target's record names the copy, and returns it. */
  CollectionRecord requireTarget(Copy copy) {
    CollectionRecord record =
        Await.patiently(
            plan.options().patience(),
            () -> CollectionRecord.read(plan.target().metadata(), plan.collection()));
    require("the copy on the target", copy, record == null ? null : record.copy());
    return Objects.requireNonNull(record);
  }

  /**
   * Checks an identity.
   *
   * @throws MigrationException.CutoverRefused if it is another, naming both
   */
  void require(String what, Object expected, @Nullable Object found) {
    if (!expected.equals(found)) {
      throw refused(
          what
              + " is "
              + found
              + ", the migration was prepared with "
              + expected
              + "; check the connection strings");
    }
  }

  /** Returns the refusal of a reset that another one has overtaken. */
  MigrationException.CutoverRefused overtaken() {
    return new MigrationException.CutoverRefused(
        "collection "
            + plan.collection()
            + " was wiped by another reset meanwhile, and this one has ended: look at its status");
  }

  /** Returns the refusal of everything but another reset. */
  static MigrationException.CutoverRefused halfWiped(String collection) {
    return new MigrationException.CutoverRefused(
        "collection "
            + collection
            + " is being wiped, and that has not ended: give the command reset again");
  }

  MigrationException.CutoverRefused refused(String why) {
    return new MigrationException.CutoverRefused(
        "collection " + plan.collection() + " is not " + outcome + ": " + why);
  }
}
