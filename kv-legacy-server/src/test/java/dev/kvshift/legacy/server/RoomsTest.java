package dev.kvshift.legacy.server;

import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** Tests the order of the server's rooms, which docs/internals/legacy-server.md draws. */
@AnalyzeClasses(packages = "dev.kvshift.legacy.server", importOptions = DoNotIncludeTests.class)
final class RoomsTest {
  @ArchTest
  static final ArchRule ROOMS =
      layeredArchitecture()
          .consideringOnlyDependenciesInAnyPackage("dev.kvshift.legacy.server..")
          .layer("server")
          .definedBy("dev.kvshift.legacy.server")
          .layer("file")
          .definedBy("dev.kvshift.legacy.server.file")
          .layer("engine")
          .definedBy("dev.kvshift.legacy.server.internal.engine")
          .layer("retention")
          .definedBy("dev.kvshift.legacy.server.internal.retention")
          .layer("read")
          .definedBy("dev.kvshift.legacy.server.internal.read")
          .layer("commit")
          .definedBy("dev.kvshift.legacy.server.internal.commit")
          .layer("admission")
          .definedBy("dev.kvshift.legacy.server.internal.admission")
          .layer("storage")
          .definedBy("dev.kvshift.legacy.server.internal.storage")
          .whereLayer("server")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("admission")
          .mayOnlyBeAccessedByLayers("server")
          .whereLayer("file")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("engine")
          .mayOnlyBeAccessedByLayers("server", "file")
          .whereLayer("retention")
          .mayOnlyBeAccessedByLayers("engine", "server", "file")
          .whereLayer("read")
          .mayOnlyBeAccessedByLayers("retention", "engine", "server", "file")
          .whereLayer("commit")
          .mayOnlyBeAccessedByLayers("read", "retention", "engine", "server", "file");

  @ArchTest
  static final ArchRule NO_CYCLES =
      slices().matching("dev.kvshift.legacy.server.(**)").should().beFreeOfCycles();
}
