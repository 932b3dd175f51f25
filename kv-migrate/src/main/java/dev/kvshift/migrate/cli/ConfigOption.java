package dev.kvshift.migrate.cli;

import java.nio.file.Path;
import picocli.CommandLine.Option;

/** The configuration file, which every command of a migration reads. */
final class ConfigOption {
  @Option(
      names = "--config",
      paramLabel = "FILE",
      defaultValue = "migration.yaml",
      description = "Configuration file (default: migration.yaml).")
  Path file = Path.of("migration.yaml");

  MigrationFile.Opened open() {
    return read().open();
  }

  MigrationFile read() {
    return MigrationFile.read(file);
  }
}
