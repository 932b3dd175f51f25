package dev.kvshift.check.mutants;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Each mutant fits the sources: it can be applied, and the test that must fail exists. */
final class PatchesTest {
  private static final Path ROOT = Path.of(System.getProperty("kvshift.root"));

  @TestFactory
  Stream<DynamicTest> mutants() throws IOException {
    return Mutant.readAll(ROOT).stream()
        .map(
            mutant ->
                DynamicTest.dynamicTest(mutant.module() + " " + mutant.name(), () -> fits(mutant)));
  }

  private static void fits(Mutant mutant) throws IOException {
    String source = Files.readString(ROOT.resolve(mutant.source()));
    assertThat(mutant.applyTo(source)).isNotEqualTo(source);
    Path tests = ROOT.resolve(mutant.module()).resolve("src/test/java");
    String file = mutant.testClass() + ".java";
    List<Path> found;
    try (Stream<Path> files = Files.find(tests, 20, (path, attributes) -> path.endsWith(file))) {
      found = files.toList();
    }
    assertThat(found).as(file).hasSize(1);
    String method = mutant.test().substring(mutant.testClass().length());
    if (!method.isEmpty()) {
      assertThat(Files.readString(found.get(0)))
          .containsPattern(Pattern.compile(" " + method.substring(1) + "\\("));
    }
  }
}
