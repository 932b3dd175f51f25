package dev.kvshift.legacy.wire;

import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.ConnectionString.Parameter;
import dev.kvshift.api.KvException;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads the parameters of the legacy store's connection strings. Stateless. */
public final class LegacyParameters {
  /** The time-out of operations. */
  public static final Parameter TIMEOUT =
      Parameter.optional(
          "timeout",
          "10s",
          "how long to wait for an operation, 10ms to 10m: a number with ms, s or m");

  private static final Pattern DURATION = Pattern.compile("(\\d{1,9})(ms|s|m)");
  private static final Duration MIN_TIMEOUT = Duration.ofMillis(10);
  private static final Duration MAX_TIMEOUT = Duration.ofMinutes(10);

  private LegacyParameters() {}

  /** Returns the value of a parameter, or its default. */
  public static String text(ConnectionString string, Parameter parameter) {
    String defaultValue = parameter.defaultValue();
    return defaultValue == null
        ? string.require(parameter.name())
        : string.parameter(parameter.name()).orElse(defaultValue);
  }

  /** Returns the value of a parameter as a duration from 10 ms to 10 min. */
  public static Duration duration(ConnectionString string, Parameter parameter) {
    String text = text(string, parameter);
    Matcher matcher = DURATION.matcher(text);
    if (matcher.matches()) {
      long number = Long.parseLong(matcher.group(1));
      Duration duration =
          switch (matcher.group(2)) {
            case "ms" -> Duration.ofMillis(number);
            case "s" -> Duration.ofSeconds(number);
            default -> Duration.ofMinutes(number);
          };
      if (duration.compareTo(MIN_TIMEOUT) >= 0 && duration.compareTo(MAX_TIMEOUT) <= 0) {
        return duration;
      }
    }
    throw refused(string, parameter, text);
  }

  /** Returns the value of a parameter as a whole number that is not negative. */
  public static int number(ConnectionString string, Parameter parameter) {
    String text = text(string, parameter);
    if (!text.matches("\\d{1,9}")) {
      throw refused(string, parameter, text);
    }
    return Integer.parseInt(text);
  }

  /** Returns the value of a parameter as a boolean. */
  public static boolean truth(ConnectionString string, Parameter parameter) {
    String text = text(string, parameter);
    if (!text.equals("true") && !text.equals("false")) {
      throw refused(string, parameter, text);
    }
    return text.equals("true");
  }

  /** Returns the error for a value that a parameter does not accept. */
  public static KvException refused(ConnectionString string, Parameter parameter, String text) {
    return new KvException.Permanent(
        string.scheme()
            + "://: parameter "
            + parameter.name()
            + "="
            + text
            + ": give "
            + parameter.meaning());
  }
}
