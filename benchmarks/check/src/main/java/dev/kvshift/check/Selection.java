package dev.kvshift.check;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/** The tests that a check runs, as arguments of Maven. */
sealed interface Selection {
  /** Returns the option that chooses among tests, as a synopsis shows it. */
  default Optional<String> synopsis() {
    return Optional.empty();
  }

  /** Adds the option that chooses among tests, if there is one. */
  default void addTo(CommandSpec command) {}

  /**
   * Returns Maven's arguments.
   *
   * @param properties system properties for the tests
   * @throws UsageException if an option that chooses is absent or has an unknown value
   */
  List<String> mavenArguments(ParseResult parsed, Map<String, String> properties);

  /** All tests and the other rules of the build, with every test's own defaults. */
  record Everything() implements Selection {
    @Override
    public List<String> mavenArguments(ParseResult parsed, Map<String, String> properties) {
      return List.of("-B", "-ntp", "--fail-at-end", "verify");
    }
  }

  /**
   * Some tests.
   *
   * @param modules Maven modules, separated by commas
   * @param pattern Surefire's patterns of test classes, separated by commas
   */
  record Tests(String modules, String pattern) implements Selection {
    @Override
    public List<String> mavenArguments(ParseResult parsed, Map<String, String> properties) {
      List<String> arguments = new ArrayList<>();
      arguments.addAll(List.of("-B", "-ntp", "-q", "-pl", modules, "-am"));
      arguments.add("-Dspotless.check.skip=true");
      arguments.add("-Dtest=" + pattern);
      arguments.add("-Dsurefire.failIfNoSpecifiedTests=false");
      properties.forEach((key, value) -> arguments.add("-D" + key + "=" + value));
      arguments.add("test");
      return arguments;
    }
  }

  /**
   * Tests that a required option chooses.
   *
   * @param option its name
   * @param choices the tests by the option's value
   */
  record ByOption(String option, Map<String, Tests> choices) implements Selection {
    static ByOption of(String option) {
      return new ByOption(option, Map.of());
    }

    /** Returns this selection with one more value of the option. */
    ByOption or(String value, String modules, String pattern) {
      Map<String, Tests> more = new LinkedHashMap<>(choices);
      more.put(value, new Tests(modules, pattern));
      return new ByOption(option, more);
    }

    @Override
    public Optional<String> synopsis() {
      return Optional.of(option + " " + String.join("|", choices.keySet()));
    }

    @Override
    public void addTo(CommandSpec command) {
      command.addOption(
          OptionSpec.builder(option)
              .paramLabel(String.join("|", choices.keySet()))
              .type(String.class)
              .build());
    }

    @Override
    public List<String> mavenArguments(ParseResult parsed, Map<String, String> properties) {
      Tests chosen = choices.get(parsed.matchedOptionValue(option, ""));
      if (chosen == null) {
        List<String> values = new ArrayList<>(choices.keySet());
        String last = values.remove(values.size() - 1);
        throw new UsageException(
            parsed.commandSpec().name()
                + " needs "
                + option
                + " "
                + String.join(", ", values)
                + " or "
                + last);
      }
      return chosen.mavenArguments(parsed, properties);
    }
  }
}
