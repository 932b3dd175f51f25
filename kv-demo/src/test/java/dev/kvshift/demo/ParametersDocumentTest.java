package dev.kvshift.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.ConnectionString.Parameter;
import dev.kvshift.spi.StoreProvider;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Checks that every parameter of every driver is documented with its default. */
final class ParametersDocumentTest {
  private static final Path DOCS = Path.of(System.getProperty("kvshift.root"), "docs");

  @Test
  void parameters_ofEveryDriver_areDocumentedWithTheirDefaults() throws IOException {
    Set<String> schemes = new TreeSet<>();
    for (StoreProvider provider : ServiceLoader.load(StoreProvider.class)) {
      schemes.add(provider.scheme());
      String document = Files.readString(DOCS.resolve(document(provider.scheme())));
      for (Parameter parameter : provider.parameters()) {
        if (provider.scheme().equals("legacy+file")) {
          assertThat(document).containsPattern("[?&]" + parameter.name() + "=");
        } else {
          assertThat(document).contains(row(parameter));
        }
      }
    }
    assertThat(schemes).containsExactly("legacy", "legacy+file", "memory", "scylla", "transition");
  }

  private static String document(String scheme) {
    return switch (scheme) {
      case "legacy", "legacy+file" -> "legacy.md";
      case "scylla" -> "scylla.md";
      default -> "architecture.md";
    };
  }

  private static String row(Parameter parameter) {
    String value = parameter.defaultValue();
    String shown = value == null ? " required" : value.isEmpty() ? "" : " `" + value + "`";
    return "\n| `" + parameter.name() + "` |" + shown + " | ";
  }
}
