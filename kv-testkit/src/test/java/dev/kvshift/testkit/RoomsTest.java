package dev.kvshift.testkit;

import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** Holds the order of the kit's packages. */
@AnalyzeClasses(packages = "dev.kvshift.testkit", importOptions = DoNotIncludeTests.class)
final class RoomsTest {
  @ArchTest
  static final ArchRule ROOMS =
      layeredArchitecture()
          .consideringOnlyDependenciesInAnyPackage("dev.kvshift.testkit..")
          .layer("kit")
          .definedBy("dev.kvshift.testkit")
          .layer("clause")
          .definedBy("dev.kvshift.testkit.clause..")
          .layer("oracle")
          .definedBy("dev.kvshift.testkit.oracle..")
          .layer("fixture")
          .definedBy("dev.kvshift.testkit.fixture..")
          .layer("meter")
          .definedBy("dev.kvshift.testkit.meter..")
          .layer("fault")
          .definedBy("dev.kvshift.testkit.fault..")
          .layer("concurrent")
          .definedBy("dev.kvshift.testkit.concurrent..")
          .whereLayer("kit")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("clause")
          .mayOnlyBeAccessedByLayers("kit")
          .whereLayer("oracle")
          .mayOnlyBeAccessedByLayers("clause")
          .whereLayer("fixture")
          .mayOnlyBeAccessedByLayers("clause", "kit")
          .whereLayer("meter")
          .mayOnlyBeAccessedByLayers("fixture", "clause")
          .whereLayer("fault")
          .mayOnlyBeAccessedByLayers("meter", "clause");

  @ArchTest
  static final ArchRule PACKAGES =
      slices().matching("dev.kvshift.testkit.(**)").should().beFreeOfCycles();
}
