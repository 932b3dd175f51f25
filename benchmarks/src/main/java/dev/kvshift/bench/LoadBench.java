package dev.kvshift.bench;

import java.nio.file.Path;
import picocli.CommandLine.Command;

@Command(name = "load", mixinStandardHelpOptions = true)
final class LoadBench extends Bench {
  @Override
  void measure(Report report, Path folder) {
    throw new UnsupportedOperationException();
  }
}
