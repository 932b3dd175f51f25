package dev.kvshift.scylla;

import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** Holds the order of the driver's rooms, which {@code docs/internals/scylla.md} draws. */
@AnalyzeClasses(packages = "dev.kvshift.scylla", importOptions = DoNotIncludeTests.class)
final class RoomsTest {
  @ArchTest
  static final ArchRule ROOMS =
      layeredArchitecture()
          .consideringOnlyDependenciesInAnyPackage("dev.kvshift.scylla..")
          .layer("store")
          .definedBy("dev.kvshift.scylla")
          .layer("scan")
          .definedBy("dev.kvshift.scylla.internal.scan")
          .layer("lock")
          .definedBy("dev.kvshift.scylla.internal.lock")
          .layer("write")
          .definedBy("dev.kvshift.scylla.internal.write")
          .layer("read")
          .definedBy("dev.kvshift.scylla.internal.read")
          .layer("schema")
          .definedBy("dev.kvshift.scylla.internal.schema")
          .layer("session")
          .definedBy("dev.kvshift.scylla.internal.session")
          .layer("cql")
          .definedBy("dev.kvshift.scylla.internal.cql")
          .whereLayer("store")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("scan")
          .mayOnlyBeAccessedByLayers("store")
          .whereLayer("lock")
          .mayOnlyBeAccessedByLayers("store")
          .whereLayer("write")
          .mayOnlyBeAccessedByLayers("store")
          .whereLayer("read")
          .mayOnlyBeAccessedByLayers("scan", "store")
          .whereLayer("schema")
          .mayOnlyBeAccessedByLayers("read", "write", "lock", "scan", "store")
          .whereLayer("session")
          .mayOnlyBeAccessedByLayers("schema", "read", "write", "lock", "scan", "store");

  @ArchTest
  static final ArchRule NO_CYCLES =
      slices().matching("dev.kvshift.scylla.(**)").should().beFreeOfCycles();
}
