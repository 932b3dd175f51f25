package dev.kvshift.migrate.internal.host;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.ShardRule;
import dev.kvshift.migrate.api.Finding;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.ClockSkew;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Metadata;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreClock;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.VersionClock;
import dev.kvshift.transition.ClockOrder;
import dev.kvshift.transition.MetadataGate;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Checks of one open store, as a service would use it: server, clock, permissions and collections.
 * A check that fails is a finding itself. Used by one thread.
 */
public final class StoreChecks {
  /** The maximum number of recorded collections that are looked at. */
  static final int MAX_COLLECTIONS = 1_000;

  /** Serves to look at the gate of a collection whose layout nobody records. */
  private static final Layout ANY = Layout.range(ShardRule.none());

  private static final String RECORDS = CollectionRecord.metadataName("");

  private final Store store;
  private final Clock clock;
  private final Duration patience;
  private final List<Finding> findings = new ArrayList<>();

  /** Creates the checks of a store, each of which retries for the given time. */
  public StoreChecks(Store store, Clock clock, Duration patience) {
    this.store = store;
    this.clock = clock;
    this.patience = patience;
  }

  /**
   * Runs all checks.
   *
   * @param named collections to look at, with the layouts that their models declare
   * @param isReadOnly whether the services of the connection only read
   */
  public List<Finding> run(SortedMap<String, Optional<Layout>> named, boolean isReadOnly) {
    check("server", this::facts);
    check("clock", () -> List.of(found("clock", clock(store, clock, patience))));
    if (isReadOnly) {
      findings.add(Finding.ok("permission to write", "not asked for: access=read"));
    } else if (has(Capability.METADATA)) {
      String what = "permission to write";
      check(what, () -> List.of(found(what, records(store.metadata(), patience))));
    }
    check("collections", () -> collections(named));
    return List.copyOf(findings);
  }

  private boolean has(Capability capability) {
    return store.capabilities().contains(capability);
  }

  private void check(String what, Supplier<List<Finding>> check) {
    try {
      findings.addAll(check.get());
    } catch (KvException e) {
      findings.add(failed(what, e));
    }
  }

  /** Returns the finding of an error, whose text says what to do. */
  private static Finding failed(String what, KvException error) {
    return new Finding(Finding.Level.BLOCKER, what, String.valueOf(error.getMessage()), "", "");
  }

  private static Finding found(String what, Finding finding) {
    return new Finding(finding.level(), what, finding.evidence(), finding.risk(), finding.remedy());
  }

  private List<Finding> facts() {
    List<Finding> facts = new ArrayList<>();
    Await.patiently(patience, store::facts)
        .forEach((name, fact) -> facts.add(Finding.ok(name, fact)));
    return facts;
  }

  /** Measures a store's clock; the finding has no name. */
  static Finding clock(Store store, Clock clock, Duration patience) {
    StoreClock measured = StoreClock.of(new VersionClock(clock), store, StoreClock.Listener.NONE);
    ClockSkew skew = Await.patiently(patience, measured::measure);
    String evidence = "it is " + skew.against("this machine's");
    return skew.isWithinLimit()
        ? Finding.ok("", evidence)
        : new Finding(
            Finding.Level.BLOCKER,
            "",
            evidence + ", and 250 ms are allowed",
            "rows would be judged expired or live by the wrong time",
            "synchronize the clocks of this machine and of the store");
  }

  /** Writes and removes one small record; the finding has no name. */
  static Finding records(Metadata metadata, Duration patience) {
    String name = "check/" + UUID.randomUUID();
    Bytes mark = Bytes.utf8("check");
    Await.patiently(patience, () -> metadata.compareAndSet(name, null, mark));
    Await.patiently(patience, () -> metadata.compareAndSet(name, mark, null));
    return Finding.ok("", "a record was written and removed");
  }

  private List<Finding> collections(SortedMap<String, Optional<Layout>> named) {
    SortedMap<String, CollectionRecord> records =
        has(Capability.METADATA) ? recorded(store, patience) : new TreeMap<>();
    SortedSet<String> names = new TreeSet<>(named.keySet());
    names.addAll(records.keySet());
    List<Finding> found = new ArrayList<>();
    for (String name : names) {
      String what = "collection " + name;
      Layout model = named.getOrDefault(name, Optional.empty()).orElse(null);
      check(what, () -> List.of(found(what, collection(name, model, records.get(name)))));
    }
    if (names.isEmpty()) {
      found.add(
          has(Capability.METADATA)
              ? Finding.ok("collections", "none yet")
              : Finding.ok("collections", "the store lists none: name those to look at"));
    }
    return found;
  }

  /** Returns the records of the collections of a store, without shard directories. */
  static SortedMap<String, CollectionRecord> recorded(Store store, Duration patience) {
    SortedMap<String, CollectionRecord> records = new TreeMap<>();
    Await.patiently(patience, () -> store.metadata().list(RECORDS, "", MAX_COLLECTIONS))
        .forEach(
            (recordName, bytes) -> {
              String name = recordName.substring(RECORDS.length());
              if (!name.endsWith(CollectionRecord.DIRECTORY_SUFFIX)) {
                records.put(name, CollectionRecord.parse(name, bytes));
              }
            });
    return records;
  }

  private Finding collection(
      String name, @Nullable Layout model, @Nullable CollectionRecord record) {
    if (record != null && model != null && !record.layout().equals(model)) {
      return new Finding(
          Finding.Level.BLOCKER,
          "",
          "the store has the layout " + record.layout() + ", its model " + model,
          "services cannot open it",
          "use the model that the data was written with; a shard rule changes by a migration");
    }
    if (has(Capability.METADATA) && record == null) {
      return Finding.ok("", "does not exist yet: the first service that opens it creates it");
    }
    StringBuilder evidence = new StringBuilder();
    if (record != null) {
      evidence.append(record.layout()).append(", ").append(state(record));
    }
    Layout layout = record != null ? record.layout() : model != null ? model : ANY;
    StoreCollection opened = Await.patiently(patience, () -> store.open(name, layout, Claim.NONE));
    if (has(Capability.GATE)) {
      Gate.State gate = Await.patiently(patience, opened.gate()::state);
      int users = Await.patiently(patience, opened.gate()::instances).size();
      evidence
          .append(evidence.isEmpty() ? "" : ", ")
          .append("phase ")
          .append(gate.phase().word())
          .append(", used by ")
          .append(users)
          .append(users == 1 ? " process" : " processes");
    }
    if (record != null && record.state() == CollectionRecord.State.IMPORTING) {
      return new Finding(
          Finding.Level.WARNING,
          "",
          evidence.toString(),
          "services cannot write to it through this connection",
          "connect through transition://, or wait until its migration has ended");
    }
    return Finding.ok("", evidence.toString());
  }

  private static String state(CollectionRecord record) {
    String state =
        record.state() == CollectionRecord.State.IMPORTING
            ? "a migration fills it"
            : record.isHandedOver() ? "handed over by a migration" : "in use, never migrated to";
    return state + ", incarnation " + record.incarnation();
  }

  /** Compares what two sides of a transition know of each collection that is named or recorded. */
  public static List<Finding> between(
      Store oldSide, Store newSide, Set<String> named, Duration patience) {
    SortedMap<String, CollectionRecord> records;
    try {
      records = recorded(newSide, patience);
    } catch (KvException e) {
      return List.of(failed("collections", e));
    }
    SortedSet<String> names = new TreeSet<>(named);
    names.addAll(records.keySet());
    List<Finding> findings = new ArrayList<>();
    for (String name : names) {
      String what = "collection " + name;
      try {
        findings.add(found(what, between(oldSide, newSide, name, records.get(name), patience)));
      } catch (KvException e) {
        findings.add(failed(what, e));
      }
    }
    return findings;
  }

  private static Finding between(
      Store oldSide,
      Store newSide,
      String name,
      @Nullable CollectionRecord record,
      Duration patience) {
    CollectionRecord own =
        oldSide.capabilities().contains(Capability.METADATA)
            ? Await.patiently(patience, () -> CollectionRecord.read(oldSide.metadata(), name))
            : null;
    Layout layout = own == null ? ANY : own.layout();
    Gate kept =
        ClockOrder.isNeededBy(oldSide.capabilities())
            ? MetadataGate.of(newSide, name)
            : Await.patiently(patience, () -> oldSide.open(name, layout, Claim.NONE)).gate();
    Gate.State gate = Await.patiently(patience, kept::state);
    Copy named = gate.copy();
    Copy held = record == null ? null : record.copy();
    if (named == null && held == null) {
      return record == null
          ? Finding.ok("", "phase " + gate.phase().word() + ", no migration has begun")
          : new Finding(
              Finding.Level.BLOCKER,
              "",
              "the new side has a collection of that name which no migration has filled",
              "a migration refuses to mix both, and services stay on the old side",
              "move into another keyspace, or remove it there");
    }
    if (named == null || !named.equals(held)) {
      return new Finding(
          Finding.Level.BLOCKER,
          "",
          "the old side names "
              + (named == null ? "no copy" : "copy " + named)
              + ", the new side holds "
              + (held == null ? "none" : "copy " + held),
          "the two sides belong to different migrations: services would not be ready",
          "correct the string of one side");
    }
    return Finding.ok("", "phase " + gate.phase().word() + ", both name copy " + named);
  }
}
