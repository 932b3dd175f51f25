package dev.kvshift.check.mutants;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class MutantTest {
  private static final List<String> PATCH =
      List.of(
          "Rule: least wins",
          "Test: LeastTest#of_two",
          "--- a/kv-x/src/main/java/x/Least.java",
          "+++ b/kv-x/src/main/java/x/Least.java",
          "@@",
          " int of(int a, int b) {",
          "-  return a < b ? a : b;",
          "+  return a > b ? a : b;",
          "@@",
          "-// gone");

  @Test
  void parse_patch_namesRuleTestAndSource() {
    Mutant mutant = Mutant.parse("greatest", "kv-y", PATCH);

    assertThat(mutant.rule()).isEqualTo("least wins");
    assertThat(mutant.test()).isEqualTo("LeastTest#of_two");
    assertThat(mutant.testClass()).isEqualTo("LeastTest");
    assertThat(mutant.module()).isEqualTo("kv-y");
    assertThat(mutant.sourceModule()).isEqualTo("kv-x");
    assertThat(mutant.changesConstant()).isFalse();
  }

  @Test
  void applyTo_linesThatOccurOnce_replacesThem() {
    assertThat(
            Mutant.parse("greatest", "kv-y", PATCH)
                .applyTo("// gone\nint of(int a, int b) {\n  return a < b ? a : b;\n}\n"))
        .isEqualTo("int of(int a, int b) {\n  return a > b ? a : b;\n}\n");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "// gone\nint of(int a, int b) {\n  return a <= b ? a : b;\n}\n",
        "// gone\n// gone\nint of(int a, int b) {\n  return a < b ? a : b;\n}\n",
        "int of(int a, int b) {\n  return a < b ? a : b;\n}\n",
        "// gone\n int of(int a, int b) {\n  return a < b ? a : b;\n}\n"
      })
  void applyTo_linesThatOccurNotOnce_isRefused(String text) {
    Mutant mutant = Mutant.parse("greatest", "kv-y", PATCH);

    assertThatThrownBy(() -> mutant.applyTo(text))
        .isExactlyInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("greatest cannot be applied: ");
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2})
  void parse_lineMissing_isRefused(int missing) {
    List<String> lines = new ArrayList<>(PATCH);
    lines.remove(missing);

    assertThatThrownBy(() -> Mutant.parse("greatest", "kv-y", lines))
        .isExactlyInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "greatest: a mutant has a line each of 'Rule: ', 'Test: ' and '--- a/', and a hunk");
  }

  @Test
  void readAll_modulesWithMutants_areOrdered(@TempDir Path root) throws Exception {
    for (String module : List.of("kv-b", "kv-a", "deep/kv-c", "target/kv-d")) {
      Path folder = Files.createDirectories(root.resolve(module).resolve("src/test/mutants"));
      Files.write(folder.resolve("greatest.patch"), PATCH);
      Files.writeString(folder.resolve("README.md"), "no mutant");
    }

    assertThat(Mutant.readAll(root))
        .extracting(Mutant::module)
        .containsExactly("deep/kv-c", "kv-a", "kv-b");
  }
}
