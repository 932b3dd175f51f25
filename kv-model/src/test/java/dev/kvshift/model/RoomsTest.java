package dev.kvshift.model;

import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** Holds the order of the packages, which {@code docs/internals/model.md} draws. */
@AnalyzeClasses(packages = "dev.kvshift.model", importOptions = DoNotIncludeTests.class)
final class RoomsTest {
  @ArchTest
  static final ArchRule ROOMS =
      layeredArchitecture()
          .consideringOnlyDependenciesInAnyPackage("dev.kvshift.model..")
          .layer("typed")
          .definedBy("dev.kvshift.model")
          .layer("advise")
          .definedBy("dev.kvshift.model.advise..")
          .layer("shard")
          .definedBy("dev.kvshift.model.shard..")
          .layer("mapping")
          .definedBy("dev.kvshift.model.mapping..")
          .layer("key")
          .definedBy("dev.kvshift.model.key..")
          .layer("encoding")
          .definedBy("dev.kvshift.model.internal.encoding..")
          .whereLayer("typed")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("advise")
          .mayOnlyBeAccessedByLayers("typed")
          .whereLayer("mapping")
          .mayOnlyBeAccessedByLayers("typed")
          .whereLayer("shard")
          .mayOnlyBeAccessedByLayers("advise", "typed")
          .whereLayer("key")
          .mayOnlyBeAccessedByLayers("shard", "advise", "typed");

  @ArchTest
  static final ArchRule PACKAGES =
      slices().matching("dev.kvshift.model.(**)").should().beFreeOfCycles();
}
