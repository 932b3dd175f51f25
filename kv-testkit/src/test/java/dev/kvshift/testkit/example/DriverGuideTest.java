package dev.kvshift.testkit.example;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Checks that the code in the guide is the code of the example, which passes the kit. */
final class DriverGuideTest {
  private static final Pattern BLOCK = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);
  private static final Path ROOT = Path.of(System.getProperty("kvshift.root"));

  @Test
  void guide_everyJavaBlock_standsInTheExample() throws IOException {
    StringBuilder example = new StringBuilder();
    Path sources = ROOT.resolve("kv-testkit/src/test/java/dev/kvshift/testkit/example");
    try (Stream<Path> files = Files.list(sources)) {
      for (Path file : files.sorted().toList()) {
        example.append(withoutIndent(Files.readString(file)));
      }
    }
    Matcher blocks = BLOCK.matcher(Files.readString(ROOT.resolve("docs/driver-guide.md")));
    int found = 0;
    while (blocks.find()) {
      found++;
      for (String part : withoutIndent(blocks.group(1)).split("\n…\n", -1)) {
        assertThat(example).contains(part.strip());
      }
    }
    assertThat(found).isEqualTo(7);
  }

  private static String withoutIndent(String text) {
    return String.join("\n", text.lines().map(String::strip).toList()) + "\n";
  }
}
