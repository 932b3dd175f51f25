package dev.kvshift.transition;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Cohort;
import dev.kvshift.api.StoreOptions;
import dev.openfeature.sdk.Client;
import dev.openfeature.sdk.ImmutableContext;
import dev.openfeature.sdk.OpenFeatureAPI;
import dev.openfeature.sdk.providers.memory.Flag;
import dev.openfeature.sdk.providers.memory.InMemoryProvider;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The example of docs/transition.md: a feature flag chooses the cohort. */
final class FlaggedCohortTest {
  @AfterEach
  void shutdown() {
    OpenFeatureAPI.getInstance().shutdown();
  }

  static StoreOptions flagged(Client flags) {
    Cohort beta =
        (collection, main) ->
            flags.getBooleanValue("new-store", false, new ImmutableContext(main.toUtf8()));
    return StoreOptions.defaults().withCohort(beta);
  }

  @Test
  void document_showsThisCode() throws IOException {
    Path root = Path.of(System.getProperty("kvshift.root"));
    String own =
        Files.readString(
            root.resolve(
                "kv-transition/src/test/java/dev/kvshift/transition/FlaggedCohortTest.java"));
    int begin = own.indexOf("  static StoreOptions flagged");
    String shown = own.substring(begin, own.indexOf("\n  }\n", begin) + 5);
    assertThat(Files.readString(root.resolve("docs/transition.md"))).contains(shown);
  }

  @Test
  void cohort_followsTheFlag() throws Exception {
    Flag<Boolean> flag =
        Flag.<Boolean>builder()
            .variant("on", true)
            .variant("off", false)
            .defaultVariant("off")
            .contextEvaluator((evaluated, context) -> context.getTargetingKey().startsWith("test-"))
            .build();
    OpenFeatureAPI.getInstance()
        .setProviderAndWait(new InMemoryProvider(Map.of("new-store", flag)));
    Cohort cohort = flagged(OpenFeatureAPI.getInstance().getClient()).cohort();
    assertThat(cohort.includes("orders", Bytes.utf8("test-1"))).isTrue();
    assertThat(cohort.includes("orders", Bytes.utf8("acme"))).isFalse();
  }
}
