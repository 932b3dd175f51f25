package dev.kvshift.migrate.cli;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Parses numbers of bytes: {@code 5000}, {@code 500kB}, {@code 10MB}, {@code 1GB}; decimal. */
final class ByteCount implements ITypeConverter<Long> {
  private static final Pattern TEXT = Pattern.compile("([0-9]{1,18})(|B|kB|MB|GB)");

  @Override
  public Long convert(String text) {
    Matcher matcher = TEXT.matcher(text);
    if (!matcher.matches()) {
      throw wrong(text);
    }
    long unit =
        switch (matcher.group(2)) {
          case "kB" -> 1_000;
          case "MB" -> 1_000_000;
          case "GB" -> 1_000_000_000;
          default -> 1;
        };
    long count = Long.parseLong(matcher.group(1));
    if (count > Long.MAX_VALUE / unit) {
      throw wrong(text);
    }
    return count * unit;
  }

  private static TypeConversionException wrong(String text) {
    return new TypeConversionException(
        "'" + text + "' is not a number of bytes: give one such as 10MB");
  }
}
