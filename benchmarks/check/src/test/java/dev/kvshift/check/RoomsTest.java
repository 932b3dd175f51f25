package dev.kvshift.check;

import static com.tngtech.archunit.library.Architectures.layeredArchitecture;

import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/** Holds the direction between the two packages. */
final class RoomsTest {
  @Test
  void results_knowNothingOfTheCommand() {
    layeredArchitecture()
        .consideringOnlyDependenciesInLayers()
        .layer("results")
        .definedBy("dev.kvshift.check.results")
        .layer("mutants")
        .definedBy("dev.kvshift.check.mutants")
        .layer("command")
        .definedBy("dev.kvshift.check")
        .whereLayer("mutants")
        .mayOnlyBeAccessedByLayers("command")
        .whereLayer("command")
        .mayNotBeAccessedByAnyLayer()
        .check(
            new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .importPackages("dev.kvshift.check"));
  }
}
