package dev.kvshift.check;

import static dev.kvshift.check.Parameter.address;
import static dev.kvshift.check.Parameter.flag;
import static dev.kvshift.check.Parameter.number;
import static dev.kvshift.check.Parameter.text;

import dev.kvshift.check.Selection.ByOption;
import dev.kvshift.check.Selection.Tests;
import dev.kvshift.check.results.ContractResults;
import java.util.List;

/** All checks but the test suite itself, in the order in which {@code ./check list} shows them. */
final class Catalog {
  static final List<Check> CHECKS =
      List.of(
          TestCheck.of(
                  "contract",
                  "the conformance kit on every driver, counted by driver",
                  new Tests(
                      "kv-testkit,kv-legacy-server,kv-scylla,kv-model,kv-transition",
                      "BrokenDriversTest,*KitTest"))
              .evaluatedBy(new ContractResults()),
          TestCheck.of(
                  "random-ops",
                  "seeded random operations against an ordered map",
                  ByOption.of("--driver")
                      .or("memory", "kv-testkit", "MemoryKitTest")
                      .or("legacy", "kv-legacy-server", "FileKitTest,NetworkKitTest,RecordsKitTest")
                      .or("scylla", "kv-scylla", "ScyllaKitTest")
                      .or("sharded", "kv-model", "ShardedKitTest,FineShardedKitTest"))
              .with(number("--operations", "N", "kvshift.operations"))
              .with(number("--seed", "S", "kvshift.seed"))
              .property("groups", "random-operations"),
          TestCheck.of(
                  "legacy-kill",
                  "the legacy server killed (SIGKILL) under load",
                  new Tests("kv-legacy-server", "LegacyKillTest"))
              .with(number("--times", "N", "legacy.kill.times"))
              .with(number("--seed", "S", "legacy.kill.seed")),
          TestCheck.of(
                  "hostile",
                  "the legacy server in 512 MiB attacked, while a well-behaved client is served",
                  new Tests("kv-legacy-server", "HostileLoad"))
              .with(text("--only", "TEXT", "kvshift.hostile.only")),
          TestCheck.of(
                  "fuzz",
                  "Jazzer on every decoder that reads bytes of strangers",
                  new Tests("benchmarks/fuzz", "FuzzLoad"))
              .with(number("--seconds", "N", "kvshift.fuzz.seconds")),
          TestCheck.of(
              "faults",
              "what must not lose, hang or grow: nodes, servers and brokers killed with thousands"
                  + " waiting, clocks that lie, broken sources, targets and topics",
              new Tests(
                  "kv-api,kv-scylla,kv-legacy-server,kv-transition,kv-migrate",
                  "StoreClockTest,NodeLostTest,ConditionalStatementsTest,LockedWriteTest,"
                      + "MissingChunksTest,RequestLimiterTest,DriverErrorsTest,LegacyKillTest,"
                      + "LeaderClockTest,DamageTest,HostileTest,ReconnectTest,LogIdTest,"
                      + "TransitionStoreTest,StreamTest,ClocksTest,FenceTest,IdentityTest,"
                      + "RejectsTest,RepairTest,TargetErrorsTest,CrashTest,StatusTest")),
          TestCheck.of(
                  "migration-crash",
                  "the runner abandoned at N points and started again",
                  new Tests("kv-migrate", "CrashTest"))
              .with(number("--cuts", "N", "kvshift.cuts"))
              .with(number("--seed", "S", "kvshift.seed")),
          TestCheck.of(
                  "chaos",
                  "N whole migrations, either way, while runner, services and servers are killed,"
                      + " paused and restarted: the new store has what the services know",
                  new Tests("kv-migrate", "ChaosLoad"))
              .with(flag("--way-back", "kvshift.wayBack"))
              .with(number("--runs", "N", "kvshift.runs"))
              .with(number("--seed", "S", "kvshift.seed")),
          TestCheck.of(
              "corruption",
              "rows, directories, topics, logs and markers damaged on purpose: each is named, and"
                  + " repaired or refused",
              new Tests(
                  "kv-migrate",
                  "CorruptionTest,VerifyTest,RepairTest,DirectoryTest,IdentityTest,StreamTest,"
                      + "BrokerFailuresTest,RestoredLeaderTest,TopicProgressTest,CertificateTest,"
                      + "CheckpointsTest")),
          TestCheck.of(
                  "cutovers",
                  "N cutovers in the fence way under load: how long writers wait",
                  new Tests("kv-migrate", "CutoversLoad"))
              .with(number("--times", "N", "kvshift.times"))
              .with(number("--seed", "S", "kvshift.seed")),
          TestCheck.of(
                  "convergence",
                  "N random histories, copied and applied in any order, with crashes: the target"
                      + " always ends equal to the source",
                  new Tests("kv-migrate", "ConvergenceTest"))
              .with(number("--cases", "N", "kvshift.cases"))
              .with(number("--seed", "S", "kvshift.seed")),
          TestCheck.of(
                  "fleet",
                  "a leader with N collections and N instances: registration, steps, and a move of"
                      + " all collections at once",
                  new Tests("kv-migrate", "FleetLoad"))
              .with(number("--collections", "N", "kvshift.collections"))
              .with(number("--instances", "N", "kvshift.instances")),
          TestCheck.of(
                  "leases",
                  "the reports of N processes in a Cassandra node's metadata, as after a move that"
                      + " keeps a way back: none fails, and none takes as long as its lease",
                  new Tests("kv-migrate", "LeasesLoad"))
              .with(number("--instances", "N", "kvshift.instances"))
              .with(number("--seed", "S", "kvshift.seed")),
          TestCheck.of(
                  "page",
                  "the runner's status page in a headless Chromium of this machine: light and dark,"
                      + " on a screen and a phone; the pictures are in kv-migrate/target/page",
                  new Tests("kv-migrate", "PageLoad"))
              .with(text("--chromium", "FILE", "kvshift.chromium")),
          TestCheck.of(
                  "verify-growth",
                  "comparisons of more and more rows under a thousand changes a second",
                  new Tests("kv-migrate", "VerifyGrowthLoad"))
              .with(text("--rows", "N,N,…", "kvshift.rows"))
              .property("test.heap", "14g"),
          TestCheck.of(
                  "ring",
                  "a three-node ring under load: nodes killed, paused and restarted one after"
                      + " another; two datacenters",
                  new Tests("kv-scylla,kv-embedded", "RingTest,DatacentersTest,CassandraRingTest"))
              .property("excludedGroups", "none"),
          TestCheck.of(
                  "locks",
                  "counters under locks while the processes that hold them are killed and paused;"
                      + " with 3 nodes also while nodes are",
                  new Tests("kv-scylla", "LockModelTest,LockHistoryCheckTest,LockFailuresTest"))
              .with(number("--runs", "N", "kvshift.locks.runs"))
              .with(number("--seed", "S", "kvshift.locks.seed"))
              .with(number("--nodes", "1|3", "kvshift.locks.nodes")),
          TestCheck.of(
                  "model",
                  "the protocol between the two stores as a state machine: every state of small"
                      + " systems, N of larger ones; without any one rule, a violation",
                  new Tests(
                      "kv-transition",
                      "PhaseModelTest,ClockModelTest,EraModelTest,VersionModelTest,"
                          + "DirectoryModelTest,LockModelTest"))
              .with(number("--states", "N", "kvshift.model.states"))
              .property("test.heap", "3g"),
          TestCheck.of(
                  "transition",
                  "a service of three instances, killed and paused under load, on its way from"
                      + " legacy:// through all phases, forward and back, to scylla://",
                  new Tests("examples", "TransitionLoad"))
              .with(number("--minutes", "N", "kvshift.minutes"))
              .with(number("--seed", "S", "kvshift.seed")),
          new MutantCheck("mutants", "one rule broken at a time: the test that must fail, fails"),
          new ProgramCheck(
              "bench",
              "NAME",
              "figures, side by side in one run: legacy, model, partition-size, load, overhead,"
                  + " transition, service, copy, apply, verify or scale-out (--help lists the"
                  + " options)",
              "dev.kvshift.bench.Main"),
          TestCheck.of(
                  "scylla",
                  "the driver's tests and the kit on your own cluster",
                  new Tests("kv-scylla", "dev/kvshift/scylla/**/*Test"))
              .with(address("HOST:PORT", "kvshift.scylla"))
              .with(text("--datacenter", "NAME", "kvshift.scylla.datacenter"))
              .with(number("--replication", "N", "kvshift.scylla.replication"))
              .property("excludedGroups", "own-server"));

  private Catalog() {}
}
