package dev.kvshift.migrate.cli;

import dev.kvshift.migrate.api.Way;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads the kinds of cutover {@code fence} and {@code dual-write}. */
final class WayConverter implements ITypeConverter<Way> {
  @Override
  public Way convert(String text) {
    return Way.of(text)
        .orElseThrow(
            () ->
                new TypeConversionException(
                    "there is no way '" + text + "': give fence or dual-write"));
  }
}
