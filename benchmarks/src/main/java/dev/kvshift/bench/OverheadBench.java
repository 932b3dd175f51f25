package dev.kvshift.bench;

import java.nio.file.Path;
import picocli.CommandLine.Command;

@Command(name = "overhead", mixinStandardHelpOptions = true)
final class OverheadBench extends Bench {
  @Override
  void measure(Report report, Path folder) {
    throw new UnsupportedOperationException();
  }
}
