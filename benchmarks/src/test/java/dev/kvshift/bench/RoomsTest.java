package dev.kvshift.bench;

import static com.tngtech.archunit.library.Architectures.layeredArchitecture;

import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/**
 * Holds the order of the packages: benchmarks know nothing of each other, except that the runner's
 * use the node of the driver's.
 */
final class RoomsTest {
  @Test
  void packages_dependOnLowerOnesAlone() {
    layeredArchitecture()
        .consideringOnlyDependenciesInLayers()
        .layer("measure")
        .definedBy("dev.kvshift.bench.measure")
        .layer("legacy")
        .definedBy("dev.kvshift.bench.legacy")
        .layer("model")
        .definedBy("dev.kvshift.bench.model..")
        .layer("scylla")
        .definedBy("dev.kvshift.bench.scylla")
        .layer("runner")
        .definedBy("dev.kvshift.bench.runner")
        .layer("command")
        .definedBy("dev.kvshift.bench")
        .whereLayer("command")
        .mayNotBeAccessedByAnyLayer()
        .whereLayer("legacy")
        .mayOnlyBeAccessedByLayers("command")
        .whereLayer("model")
        .mayOnlyBeAccessedByLayers("command")
        .whereLayer("runner")
        .mayOnlyBeAccessedByLayers("command")
        .whereLayer("scylla")
        .mayOnlyBeAccessedByLayers("runner", "command")
        .whereLayer("measure")
        .mayOnlyBeAccessedByLayers("legacy", "model", "runner", "scylla")
        .check(
            new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .importPackages("dev.kvshift.bench"));
  }
}
