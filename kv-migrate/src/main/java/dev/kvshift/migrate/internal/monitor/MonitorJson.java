package dev.kvshift.migrate.internal.monitor;

import dev.kvshift.migrate.api.HostStatus;
import dev.kvshift.migrate.api.MigrationStatus;
import dev.kvshift.migrate.internal.ledger.Certificate;
import dev.kvshift.migrate.internal.ledger.Members;
import dev.kvshift.spi.InstanceReport;
import java.time.Instant;
import java.util.List;

/** What a monitor knows, as JSON. Contains no keys and no values. */
final class MonitorJson {
  private static final int LISTED_INSTANCES = 20;

  private MonitorJson() {}

  static Members status(Monitor monitor) {
    List<HostStatus.Host> hosts = monitor.hosts();
    Members json =
        new Members()
            .with("name", monitor.name())
            .with("at", Instant.now().toString())
            .with("intervalMillis", monitor.interval().toMillis());
    if (hosts != null) {
      json.withObjects(
          "hosts",
          hosts.stream()
              .map(host -> new Members().with("name", host.name()).with("address", host.address()))
              .toList());
    }
    return json.withObjects(
        "collections", monitor.collections().stream().map(MonitorJson::collection).toList());
  }

  private static Members collection(MonitoredCollection collection) {
    Members json = new Members().with("collection", collection.name());
    String failure = collection.failure();
    if (failure != null) {
      json.with("failure", failure);
    }
    MonitoredCollection.Figures figures = collection.figures();
    return figures == null ? json : addFigures(json, figures);
  }

  private static Members addFigures(Members json, MonitoredCollection.Figures figures) {
    Reading reading = figures.reading();
    MigrationStatus status = reading.status();
    json.with("readAt", reading.at().toString())
        .with("step", reading.step())
        .with("phase", status.source().phase().word())
        .with("epoch", status.source().epoch())
        .with("fenced", status.source().isFenced())
        .with("paused", reading.collection().isPaused())
        .with("secondsLeft", figures.secondsLeft())
        .with("copyTasks", status.copy().tasks())
        .with("copyTasksDone", status.copy().tasksDone())
        .with("copy", Certificate.print(status.copy().counts()));
    reading.expectedRows().ifPresent(rows -> json.with("expectedRows", rows));
    json.with(
        "rates",
        new Members()
            .with("copy", figures.rates().copy())
            .with("stream", figures.rates().stream())
            .with("apply", figures.rates().apply())
            .with("verify", figures.rates().verify()));
    Members lag =
        new Members()
            .with("streamChanges", reading.streamLag())
            .with("applyChanges", reading.applyLag())
            .with("seconds", figures.lagSeconds());
    if (reading.lag() != null) {
      lag.with("records", reading.lag().records());
      reading.lag().bytes().ifPresent(bytes -> lag.with("bytes", bytes));
    }
    json.with("lag", lag);
    addProof(json, reading);
    json.with("deadLetters", status.quarantine().keys())
        .with("acceptedLosses", status.quarantine().acceptedLosses())
        .withObjects("tasks", reading.collection().tasks().stream().map(MonitorJson::task).toList())
        .with("fleet", fleet(reading.fleet()))
        .withTexts("events", status.events());
    return json;
  }

  private static void addProof(Members json, Reading reading) {
    MigrationStatus.Stream stream = reading.status().stream();
    if (stream != null && stream.keptUntil() != null) {
      json.with("sourceKeepsUntil", stream.keptUntil().toString());
    }
    if (reading.verifying() != null) {
      json.with("verifyingSince", reading.verifying().toString());
    }
    Reading.Verified verified = reading.verified();
    if (verified != null) {
      json.with(
          "verified",
          new Members()
              .with("at", verified.at().toString())
              .with("validUntil", verified.validUntil().toString())
              .with("sourceRows", verified.report().sourceRows())
              .with("targetRows", verified.report().targetRows())
              .with("differences", verified.report().differences()));
    }
  }

  private static Members task(HostStatus.Task task) {
    return new Members()
        .with("task", task.name())
        .with("status", task.status())
        .with("owner", task.owner())
        .with("attempt", task.attempt())
        .with("failures", task.failures())
        .with("reason", task.reason())
        .with("done", task.done())
        .with("total", task.total())
        .with("note", task.note());
  }

  private static Members fleet(Fleet fleet) {
    return new Members()
        .with("instances", fleet.users().size())
        .with("ready", fleet.ready())
        .withObjects(
            "notReady",
            fleet.users().stream()
                .filter(user -> user.obstacle() != null)
                .limit(LISTED_INSTANCES)
                .map(MonitorJson::user)
                .toList());
  }

  private static Members user(Fleet.User user) {
    InstanceReport report = user.instance().report();
    Members json =
        new Members().with("service", report.service()).with("instance", report.instance());
    return user.obstacle() == null ? json : json.with("why", user.obstacle());
  }

  /** Returns the course of a collection's rates and lag. */
  static Members history(MonitoredCollection collection) {
    Members json =
        new Members()
            .with("collection", collection.name())
            .withNumbers("seconds", collection.history().values(0));
    for (int i = 0; i < MonitoredCollection.SERIES.size(); i++) {
      json.withNumbers(MonitoredCollection.SERIES.get(i), collection.history().values(i + 1));
    }
    return json;
  }
}
