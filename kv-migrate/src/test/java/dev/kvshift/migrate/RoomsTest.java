package dev.kvshift.migrate;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** Holds the order of the runner's rooms, which docs/internals/runner.md draws. */
@AnalyzeClasses(packages = "dev.kvshift.migrate", importOptions = DoNotIncludeTests.class)
final class RoomsTest {
  @ArchTest
  static final ArchRule ROOMS =
      layeredArchitecture()
          .consideringOnlyDependenciesInAnyPackage("dev.kvshift.migrate..")
          .layer("cli")
          .definedBy("dev.kvshift.migrate.cli..")
          .layer("entry")
          .definedBy("dev.kvshift.migrate")
          .layer("monitor")
          .definedBy("dev.kvshift.migrate.internal.monitor..")
          .layer("host")
          .definedBy("dev.kvshift.migrate.internal.host..")
          .layer("cutover")
          .definedBy("dev.kvshift.migrate.internal.cutover..")
          .layer("backfill")
          .definedBy("dev.kvshift.migrate.internal.backfill..")
          .layer("verify")
          .definedBy("dev.kvshift.migrate.internal.verify..")
          .layer("copy")
          .definedBy("dev.kvshift.migrate.internal.copy..")
          .layer("apply")
          .definedBy("dev.kvshift.migrate.internal.apply..")
          .layer("stream")
          .definedBy("dev.kvshift.migrate.internal.stream..")
          .layer("task")
          .definedBy("dev.kvshift.migrate.internal.task..")
          .layer("ledger")
          .definedBy("dev.kvshift.migrate.internal.ledger..")
          .layer("data")
          .definedBy("dev.kvshift.migrate.internal.data..")
          .layer("context")
          .definedBy("dev.kvshift.migrate.internal.context..")
          .layer("api")
          .definedBy("dev.kvshift.migrate.api..")
          .whereLayer("cli")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("entry")
          .mayOnlyBeAccessedByLayers("cli")
          .whereLayer("monitor")
          .mayOnlyBeAccessedByLayers("cli")
          .whereLayer("host")
          .mayOnlyBeAccessedByLayers("monitor", "entry")
          .whereLayer("cutover")
          .mayOnlyBeAccessedByLayers("host", "entry")
          .whereLayer("backfill")
          .mayOnlyBeAccessedByLayers("host", "entry")
          .whereLayer("verify")
          .mayOnlyBeAccessedByLayers("backfill", "cutover", "host", "entry")
          .whereLayer("copy")
          .mayOnlyBeAccessedByLayers("cutover", "host", "monitor", "entry")
          .whereLayer("apply")
          .mayOnlyBeAccessedByLayers("copy", "verify", "backfill", "cutover", "host", "monitor")
          .whereLayer("task")
          .mayOnlyBeAccessedByLayers("copy", "verify", "host")
          .whereLayer("data")
          .mayOnlyBeAccessedByLayers("cli")
          .whereLayer("stream")
          .mayOnlyBeAccessedByLayers(
              "task", "apply", "copy", "verify", "cutover", "host", "monitor")
          .whereLayer("context")
          .mayOnlyBeAccessedByLayers(
              "data",
              "ledger",
              "stream",
              "task",
              "apply",
              "copy",
              "verify",
              "backfill",
              "cutover",
              "host",
              "entry",
              "monitor");

  @ArchTest
  static final ArchRule PACKAGES =
      slices().matching("dev.kvshift.migrate.(**)").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule API_KNOWS_NO_INSIDE =
      noClasses()
          .that()
          .resideInAPackage("dev.kvshift.migrate.api..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "dev.kvshift.migrate", "dev.kvshift.migrate.internal..", "dev.kvshift.migrate.cli..");

  @ArchTest
  static final ArchRule JSON_IS_THE_LEDGERS =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.kvshift.migrate.internal.ledger..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("com.google.gson..");
}
