package dev.kvshift.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Checks which modules are published and what their poms say, as repositories ask of them. {@code
 * scripts/release-dry-run} checks the files themselves.
 */
final class PublishedPomsTest {
  private static final List<List<String>> INHERITED =
      List.of(
          List.of("url"),
          List.of("licenses", "license", "name"),
          List.of("licenses", "license", "url"),
          List.of("developers", "developer", "name"),
          List.of("scm", "connection"),
          List.of("scm", "developerConnection"),
          List.of("scm", "url"));

  private final Pom parent = Pom.of(".");
  private final Pom bom = Pom.of("kv-bom");
  private final List<String> published =
      bom.texts("dependencyManagement", "dependencies", "dependency", "artifactId");

  @Test
  void modules_thatAreDeployed_areThoseOfTheBom() {
    List<String> deployed = new ArrayList<>();
    for (String module : parent.texts("modules", "module")) {
      Pom pom = Pom.of(module);
      if (!pom.text("properties", "maven.deploy.skip").equals(Optional.of("true"))) {
        deployed.add(pom.artifact());
      }
    }

    assertThat(deployed)
        .containsExactlyInAnyOrderElementsOf(
            Stream.concat(Stream.of("kv-bom"), published.stream()).toList());
    assertThat(parent.text("properties", "maven.deploy.skip")).contains("false");
  }

  @Test
  void poms_ofPublishedModules_areComplete() {
    for (List<String> path : INHERITED) {
      String[] names = path.toArray(String[]::new);
      assertThat(parent.text(names)).as("%s of the parent", path).isPresent();
      assertThat(bom.text(names)).as("%s of kv-bom", path).isEqualTo(parent.text(names));
    }
    for (String module : published) {
      Pom pom = Pom.of(module);
      assertThat(pom.text("parent", "artifactId")).as(module).contains("kvshift");
      assertThat(pom.text("name")).as(module).isPresent();
      assertThat(pom.text("description")).as(module).isPresent();
    }
  }

  @Test
  void dependencies_ofPublishedModules_arePublished() {
    for (String module : published) {
      assertThat(Pom.of(module).declaredModules(Set.of("compile", "runtime")))
          .as(module)
          .isSubsetOf(published);
    }
  }
}
