package dev.kvshift.migrate.cli;

import dev.kvshift.spi.Phase;
import java.util.Arrays;
import java.util.stream.Collectors;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads phases in the form {@code shadow-write}. */
final class PhaseConverter implements ITypeConverter<Phase> {
  @Override
  public Phase convert(String text) {
    return Arrays.stream(Phase.values())
        .filter(phase -> phase.word().equals(text))
        .findFirst()
        .orElseThrow(
            () ->
                new TypeConversionException(
                    "there is no phase '"
                        + text
                        + "': give one of "
                        + Arrays.stream(Phase.values())
                            .map(Phase::word)
                            .collect(Collectors.joining(", "))));
  }
}
