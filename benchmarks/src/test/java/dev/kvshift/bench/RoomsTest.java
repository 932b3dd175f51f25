package dev.kvshift.bench;

import static com.tngtech.archunit.library.Architectures.layeredArchitecture;

import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/** Holds the order of the packages: the benchmarks know nothing of each other. */
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
        .layer("partition")
        .definedBy("dev.kvshift.bench.partition..")
        .layer("scylla")
        .definedBy("dev.kvshift.bench.scylla")
        .layer("runner")
        .definedBy("dev.kvshift.bench.runner")
        .layer("ycsb")
        .definedBy("dev.kvshift.bench.ycsb")
        .layer("command")
        .definedBy("dev.kvshift.bench")
        .whereLayer("command")
        .mayNotBeAccessedByAnyLayer()
        .whereLayer("legacy")
        .mayOnlyBeAccessedByLayers("command")
        .whereLayer("model")
        .mayOnlyBeAccessedByLayers("command")
        .whereLayer("partition")
        .mayOnlyBeAccessedByLayers("command")
        .whereLayer("runner")
        .mayOnlyBeAccessedByLayers("command")
        .whereLayer("scylla")
        .mayOnlyBeAccessedByLayers("command")
        .whereLayer("ycsb")
        .mayNotBeAccessedByAnyLayer()
        .whereLayer("measure")
        .mayOnlyBeAccessedByLayers("legacy", "model", "partition", "runner", "scylla")
        .check(
            new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .importPackages("dev.kvshift.bench"));
  }
}
