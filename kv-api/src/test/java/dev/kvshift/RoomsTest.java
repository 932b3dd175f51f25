package dev.kvshift;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
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

  /** A further component would break everyone who constructs or matches the record. */
  @ArchTest
  static final ArchRule NO_PUBLIC_RECORDS =
      noClasses()
          .that()
          .arePublic()
          .should()
          .beRecords()
          .because("what services and drivers compile against can grow");
}
