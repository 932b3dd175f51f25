package dev.kvshift.demo;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.methods;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Holds the edges between modules, which docs/architecture.md names: those that the modules' poms
 * declare and those that the classes have.
 */
class ModuleEdgesTest {
  /** The project's modules that each module may load, at compile time or at run time. */
  private static final Map<String, Set<String>> MODULES =
      Map.ofEntries(
          Map.entry("kv-api", Set.of()),
          Map.entry("kv-memory", Set.of("kv-api")),
          Map.entry("kv-model", Set.of("kv-api")),
          Map.entry("kv-legacy", Set.of("kv-api")),
          Map.entry("kv-legacy-server", Set.of("kv-api", "kv-legacy")),
          Map.entry("kv-scylla", Set.of("kv-api")),
          Map.entry("kv-transition", Set.of("kv-api", "kv-model")),
          Map.entry("kv-spring-boot-starter", Set.of("kv-api", "kv-model")),
          Map.entry("kv-testkit", Set.of("kv-api")),
          Map.entry("benchmarks/check", Set.of()));

  private static final String[] API = {"dev.kvshift", "dev.kvshift.api..", "dev.kvshift.spi.."};

  private static JavaClasses all;

  @BeforeAll
  static void readClasses() {
    all =
        new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("dev.kvshift");
  }

  @Test
  void poms_ofModulesThatOthersLoad_declareNoOtherModules() {
    for (Map.Entry<String, Set<String>> module : MODULES.entrySet()) {
      assertThat(Pom.of(module.getKey()).declaredModules(Set.of("compile", "runtime")))
          .as(module.getKey())
          .isSubsetOf(module.getValue());
    }
  }

  @Test
  void pom_ofTheRunner_hasDriversAtRunTimeAlone() {
    assertThat(Pom.of("kv-migrate").declaredModules(Set.of("compile")))
        .containsExactlyInAnyOrder("kv-api", "kv-model", "kv-transition");
    assertThat(Pom.of("kv-migrate").declaredModules(Set.of("runtime")))
        .containsExactlyInAnyOrder("kv-legacy", "kv-scylla");
  }

  @Test
  void api_dependsOnTheJdkAlone() {
    classes()
        .that()
        .resideInAnyPackage(API)
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage(
            "java..",
            "org.jspecify.annotations..",
            "dev.kvshift",
            "dev.kvshift.api..",
            "dev.kvshift.spi..")
        .check(all);
  }

  @Test
  void memory_dependsOnTheApiAlone() {
    mayUse("memory");
  }

  @Test
  void model_dependsOnTheApiAlone() {
    mayUse("model");
  }

  @Test
  void legacyDriver_dependsOnTheApiAlone() {
    mayUse("legacy", "legacy");
  }

  @Test
  void legacyServer_dependsOnItsWireFormatAlone() {
    mayUse("legacy.server", "legacy");
  }

  @Test
  void scyllaDriver_dependsOnTheApiAlone() {
    mayUse("scylla");
  }

  @Test
  void transition_dependsOnTheModelAlone() {
    mayUse("transition", "model");
  }

  @Test
  void runner_dependsOnNoDriver() {
    mayUse("migrate", "model", "transition");
  }

  @Test
  void whatServicesLoad_needsNeitherRocksDbNorKafka() {
    noClasses()
        .that()
        .resideInAnyPackage(
            "dev.kvshift",
            "dev.kvshift.api..",
            "dev.kvshift.spi..",
            "dev.kvshift.memory..",
            "dev.kvshift.model..",
            "dev.kvshift.legacy",
            "dev.kvshift.legacy.wire..",
            "dev.kvshift.scylla..",
            "dev.kvshift.transition..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("org.rocksdb..", "org.apache.kafka..", "dev.kvshift.embedded..")
        .check(all);
  }

  @Test
  void whatServicesSee_showsNoLibraryType() {
    methods()
        .that()
        .arePublic()
        .and()
        .areDeclaredInClassesThat()
        .arePublic()
        .and()
        .areDeclaredInClassesThat()
        .resideInAnyPackage(
            "dev.kvshift",
            "dev.kvshift.api..",
            "dev.kvshift.spi..",
            "dev.kvshift.memory..",
            "dev.kvshift.model..",
            "dev.kvshift.legacy",
            "dev.kvshift.scylla",
            "dev.kvshift.transition..")
        .should(
            showNoneOf("io.netty", "com.google.common", "com.fasterxml", "io.grpc", "com.datastax"))
        .check(all);
  }

  /** Checks that a module's production code uses only the API, itself and the named modules. */
  private static void mayUse(String name, String... others) {
    List<String> allowed = new ArrayList<>(List.of(API));
    allowed.add("dev.kvshift." + name + "..");
    for (String other : others) {
      allowed.add("dev.kvshift." + other + "..");
    }
    classes()
        .that()
        .resideInAPackage("dev.kvshift." + name + "..")
        .should()
        .onlyDependOnClassesThat(
            new DescribedPredicate<>("are of allowed modules") {
              @Override
              public boolean test(JavaClass used) {
                return !used.getPackageName().startsWith("dev.kvshift")
                    || JavaClass.Predicates.resideInAnyPackage(allowed.toArray(String[]::new))
                        .test(used);
              }
            })
        .check(all);
  }

  private static ArchCondition<JavaMethod> showNoneOf(String... packages) {
    return new ArchCondition<>("show no library type") {
      @Override
      public void check(JavaMethod method, ConditionEvents events) {
        for (JavaClass shown : method.getAllInvolvedRawTypes()) {
          for (String refused : packages) {
            if (shown.getPackageName().startsWith(refused)) {
              events.add(
                  SimpleConditionEvent.violated(
                      method, method.getFullName() + " shows " + shown.getName()));
            }
          }
        }
      }
    };
  }
}
