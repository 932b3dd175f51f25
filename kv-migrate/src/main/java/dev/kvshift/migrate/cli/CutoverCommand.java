package dev.kvshift.migrate.cli;

import dev.kvshift.api.KvException;
import dev.kvshift.migrate.HostedMigrations;
import dev.kvshift.migrate.Migration;
import dev.kvshift.migrate.api.CutoverReport;
import dev.kvshift.migrate.api.CutoverTime;
import dev.kvshift.migrate.api.MigrationPlan;
import java.io.PrintWriter;
import java.time.Instant;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Hands collections over, at once or when a person or an hour says so. */
@Command(
    name = "cutover",
    description = {
      "Hands collections over: from legacy by a fence, with a short pause for writers; from"
          + " new-primary by a seal, without one; from new-read if the old store has no leader. The"
          + " new store then serves alone, and the old one follows: 'rollback' takes a collection"
          + " back, until 'finish'. With --final there is no way back.",
      "%nWith --group, all collections of the group are fenced and moved together, all or none; one"
          + " of a group does not move alone. With --postpone, the cutover is made ready and waits"
          + " for 'cutover --go' from anywhere, or for --at HH:MM; 'cutover --cancel' takes it back."
          + " It waits with the hosts, also if they are restarted; without any, keep the command"
          + " running. A comparison counts for 24 hours: verify again before a longer wait."
    },
    mixinStandardHelpOptions = true)
final class CutoverCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private ConfigOption config = new ConfigOption();
  @Mixin private GiveUpOption giveUp = new GiveUpOption();

  @Parameters(
      arity = "0..*",
      paramLabel = "COLLECTION",
      description = "Collections of the configuration.")
  private List<String> names = List.of();

  @Option(
      names = "--group",
      paramLabel = "NAME",
      description = "A group of the configuration, instead of collections.")
  private @Nullable String group;

  @Option(
      names = "--postpone",
      description = "Makes everything ready, and waits for 'cutover --go'.")
  private boolean isPostponed;

  @Option(
      names = "--at",
      paramLabel = "HH:MM",
      description =
          "Waits like --postpone, and goes on at this time of the day, by this machine's time"
              + " zone.")
  private @Nullable String at;

  @Option(
      names = "--final",
      description =
          "Keeps no way back, which needs deletes=kept in the new store's strings. For ever.")
  private boolean isFinal;

  @Option(
      names = "--go",
      description = "Lets a cutover that waits go on, and changes nothing else.")
  private boolean isGo;

  @Option(
      names = "--cancel",
      description =
          "Takes back a cutover that hosts were asked for. Once the command has ended with 0, it"
              + " does not happen.")
  private boolean isCancelled;

  @Override
  public Integer call() {
    requireOneWish();
    MigrationFile file = config.read();
    List<String> chosen = chosen(file);
    Instant until = at == null ? null : next(at, ZonedDateTime.now(ZoneId.systemDefault()));
    return Termination.run(
        spec.commandLine().getErr(),
        () -> {
          try (MigrationFile.Opened opened = file.open()) {
            if (!opened.isLed()) {
              return cutOver(new ClockWork(opened, spec), chosen);
            }
            List<MigrationPlan> plans = opened.of(chosen);
            HostedMigrations migrations = new HostedMigrations(opened.plan());
            chosen.forEach(name -> migrations.note(name, words()));
            if (isGo || isCancelled) {
              together(chosen).forEach(each -> change(migrations, each));
              return ExitCode.OK;
            }
            decide(plans);
            HostedWork hosts = HostedWork.of(opened, spec);
            CutoverTime time = time(until);
            if (hosts != null) {
              return cutOver(hosts, plans, time);
            }
            if (!time.isHeld()) {
              together(plans).forEach(this::move);
              return ExitCode.OK;
            }
            try (OwnHost host = new OwnHost(opened, spec)) {
              return cutOver(host.work(), plans, time);
            }
          }
        });
  }

  /** Refuses options that contradict each other: a cutover that was guessed cannot be undone. */
  private void requireOneWish() {
    boolean isMore =
        isPostponed
            || at != null
            || isFinal
            || !giveUp.services().isEmpty()
            || (isGo && isCancelled);
    if ((isGo || isCancelled) && isMore) {
      throw new KvException.Permanent(
          "--go and --cancel change nothing else about a cutover: give one of them, and no other"
              + " option but --group");
    }
  }

  /** Returns what moves at once: all of a group, or one collection after the other. */
  private <T> List<List<T>> together(List<T> all) {
    return group == null ? all.stream().map(List::of).toList() : List.of(all);
  }

  private CutoverTime time(@Nullable Instant until) {
    if (until != null) {
      return CutoverTime.at(until);
    }
    return isPostponed ? CutoverTime.ON_GO : CutoverTime.NOW;
  }

  private List<String> chosen(MigrationFile file) {
    if ((group == null) == names.isEmpty()) {
      throw new KvException.Permanent("give either names of collections, or --group NAME");
    }
    if (group != null) {
      return file.group(group);
    }
    file.requireUngrouped(names);
    return names;
  }

  /** Returns the next time at which it is that hour. */
  static Instant next(String time, ZonedDateTime now) {
    try {
      ZonedDateTime today = now.with(LocalTime.parse(time));
      return (today.isAfter(now) ? today : today.plusDays(1)).toInstant();
    } catch (DateTimeParseException e) {
      throw new KvException.Permanent(
          "'" + time + "' is no time of a day: give HH:MM, such as 03:30");
    }
  }

  private int cutOver(ClockWork work, List<String> chosen) {
    if (group != null
        || isPostponed
        || at != null
        || isGo
        || isCancelled
        || !giveUp.services().isEmpty()) {
      throw new KvException.Permanent(
          "the source has no leader, so nobody waits at a cutover, and it has no option but --final:"
              + " give the names of collections");
    }
    return work.cutOver(chosen, isFinal);
  }

  private int cutOver(HostedWork hosts, List<MigrationPlan> plans, CutoverTime time) {
    List<List<MigrationPlan>> all = together(plans);
    if (time.isHeld()) {
      all.forEach(each -> hosts.migrations().cutover(names(each), giveUp.services(), time));
    }
    for (List<MigrationPlan> each : all) {
      int code =
          time.isHeld()
              ? hosts.awaitCutover(names(each))
              : hosts.cutOver(names(each), giveUp.services(), time);
      if (code != ExitCode.OK) {
        return code;
      }
      each.stream()
          .filter(plan -> hosts.hasMoved(plan.collection()))
          .forEach(this::printAfterwards);
    }
    return ExitCode.OK;
  }

  private static List<String> names(List<MigrationPlan> plans) {
    return plans.stream().map(MigrationPlan::collection).toList();
  }

  /** Records whether a way back is kept. A later cutover decides anew. */
  private void decide(List<MigrationPlan> plans) {
    List<Migration> migrations = plans.stream().map(this::migration).toList();
    if (isFinal) {
      migrations.forEach(Migration::moveForGood);
    } else {
      migrations.forEach(Migration::keepWayBack);
    }
  }

  private void change(HostedMigrations migrations, List<String> together) {
    if (isGo) {
      migrations.letGo(together.get(0));
    } else {
      migrations.takeBack(together);
    }
    together.forEach(name -> out("collection " + name + (isGo ? " goes on" : " stays")));
  }

  private void move(List<MigrationPlan> plans) {
    List<Migration> migrations = new ArrayList<>();
    try {
      plans.forEach(plan -> migrations.add(migration(giveUp.of(plan))));
      if (plans.size() == 1) {
        print(plans.get(0), migrations.get(0).cutover());
        return;
      }
      List<CutoverReport> reports = Migration.cutoverAll(migrations);
      for (int i = 0; i < reports.size(); i++) {
        print(plans.get(i), reports.get(i));
      }
    } finally {
      migrations.forEach(Migration::close);
    }
  }

  private Migration migration(MigrationPlan plan) {
    return Migration.of(plan, new ProgressLines(spec.commandLine().getErr()));
  }

  private void print(MigrationPlan plan, CutoverReport report) {
    out(plan.collection() + " " + ResultText.cutover(report));
    printAfterwards(plan);
  }

  private void printAfterwards(MigrationPlan plan) {
    out(MigrateCommand.afterwards(plan));
  }

  private String words() {
    return MigrateCommand.words(spec);
  }

  private void out(String line) {
    PrintWriter out = spec.commandLine().getOut();
    out.println(line);
    out.flush();
  }
}
