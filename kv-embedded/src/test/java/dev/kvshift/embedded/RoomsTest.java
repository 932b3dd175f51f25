package dev.kvshift.embedded;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/** Holds the direction between the packages: servers use forked JVMs, never the reverse. */
final class RoomsTest {
  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("dev.kvshift.embedded");

  @Test
  void fork_knowsNoServer() {
    noClasses()
        .that()
        .resideInAPackage("dev.kvshift.embedded.fork..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("dev.kvshift.embedded")
        .check(CLASSES);
  }

  @Test
  void packages_haveNoCycle() {
    slices().matching("dev.kvshift.(embedded..)").should().beFreeOfCycles().check(CLASSES);
  }
}
