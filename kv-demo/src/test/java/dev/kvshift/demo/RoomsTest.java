package dev.kvshift.demo;

import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** Holds the order of the packages, which the documentation of {@code dev.kvshift.demo} lists. */
@AnalyzeClasses(packages = "dev.kvshift.demo", importOptions = DoNotIncludeTests.class)
final class RoomsTest {
  @ArchTest
  static final ArchRule ROOMS =
      layeredArchitecture()
          .consideringOnlyDependenciesInAnyPackage("dev.kvshift.demo..")
          .layer("command")
          .definedBy("dev.kvshift.demo")
          .layer("run")
          .definedBy("dev.kvshift.demo.run..")
          .layer("writer")
          .definedBy("dev.kvshift.demo.writer..")
          .layer("input")
          .definedBy("dev.kvshift.demo.input..")
          .layer("catalog")
          .definedBy("dev.kvshift.demo.catalog..")
          .layer("values")
          .definedBy("dev.kvshift.demo.proto..")
          .layer("server")
          .definedBy("dev.kvshift.demo.server..")
          .layer("progress")
          .definedBy("dev.kvshift.demo.progress..")
          .whereLayer("command")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("run")
          .mayOnlyBeAccessedByLayers("command")
          .whereLayer("writer")
          .mayOnlyBeAccessedByLayers("run")
          .whereLayer("input")
          .mayOnlyBeAccessedByLayers("run", "command")
          .whereLayer("catalog")
          .mayOnlyBeAccessedByLayers("writer", "input", "run", "command")
          .whereLayer("values")
          .mayOnlyBeAccessedByLayers("catalog", "run")
          .whereLayer("server")
          .mayOnlyBeAccessedByLayers("run", "command")
          .whereLayer("progress")
          .mayOnlyBeAccessedByLayers("writer", "input", "run", "command");

  @ArchTest
  static final ArchRule PACKAGES =
      slices().matching("dev.kvshift.demo.(**)").should().beFreeOfCycles();
}
