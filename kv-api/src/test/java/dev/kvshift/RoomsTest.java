package dev.kvshift;

import static com.tngtech.archunit.library.Architectures.layeredArchitecture;

import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** Holds the order of the packages, which {@code docs/internals/contract.md} draws. */
@AnalyzeClasses(packages = "dev.kvshift", importOptions = DoNotIncludeTests.class)
final class RoomsTest {
  @ArchTest
  static final ArchRule ROOMS =
      layeredArchitecture()
          .consideringOnlyDependenciesInAnyPackage("dev.kvshift..")
          .layer("views")
          .definedBy("dev.kvshift")
          .layer("spi")
          .definedBy("dev.kvshift.spi")
          .layer("api")
          .definedBy("dev.kvshift.api")
          .whereLayer("views")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("spi")
          .mayOnlyBeAccessedByLayers("views");
}
