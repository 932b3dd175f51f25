package dev.kvshift.check;

import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParseResult;

/**
 * A parameter of a check, handed to the tests as a system property.
 *
 * @param kind how it is given
 * @param name the option, or the label of a parameter without one
 * @param label the placeholder of the value in a synopsis
 * @param property the system property that the tests read
 */
record Parameter(Kind kind, String name, String label, String property) {
  /** The way in which a parameter is given. */
  enum Kind {
    /** An option that takes an integer. */
    NUMBER,
    /** An option that takes any text. */
    TEXT,
    /** An option without a value. */
    FLAG,
    /** A required argument without an option. */
    ADDRESS
  }

  static Parameter number(String option, String label, String property) {
    return new Parameter(Kind.NUMBER, option, label, property);
  }

  static Parameter text(String option, String label, String property) {
    return new Parameter(Kind.TEXT, option, label, property);
  }

  static Parameter flag(String option, String property) {
    return new Parameter(Kind.FLAG, option, "", property);
  }

  static Parameter address(String label, String property) {
    return new Parameter(Kind.ADDRESS, label, label, property);
  }

  String synopsis() {
    return switch (kind) {
      case NUMBER, TEXT -> "[" + name + " " + label + "]";
      case FLAG -> "[" + name + "]";
      case ADDRESS -> label;
    };
  }

  void addTo(CommandSpec command) {
    switch (kind) {
      case NUMBER -> command.addOption(option(Long.class));
      case TEXT -> command.addOption(option(String.class));
      case FLAG -> command.addOption(option(boolean.class));
      case ADDRESS ->
          command.addPositional(
              PositionalParamSpec.builder().paramLabel(label).arity("0..1").build());
    }
  }

  private OptionSpec option(Class<?> type) {
    return OptionSpec.builder(name).paramLabel(label).type(type).build();
  }

  /**
   * Returns the value given, empty if an option is absent.
   *
   * @throws UsageException if a required argument is absent
   */
  Optional<String> value(ParseResult parsed) {
    if (kind != Kind.ADDRESS) {
      return Optional.ofNullable(parsed.matchedOptionValue(name, null)).map(Object::toString);
    }
    if (!parsed.hasMatchedPositional(0)) {
      throw new UsageException(parsed.commandSpec().name() + " needs " + label);
    }
    return Optional.of(parsed.matchedPositionalValue(0, ""));
  }
}
