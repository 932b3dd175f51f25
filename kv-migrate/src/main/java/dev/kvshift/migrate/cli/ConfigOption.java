package dev.kvshift.migrate.cli;

import dev.kvshift.api.KvException;
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

  /**
   * Opens both stores, for a command that needs a leader.
   *
   * @throws KvException.Permanent if the source has none
   */
  MigrationFile.Opened open() {
    MigrationFile.Opened opened = openAny();
    if (!opened.isLed()) {
      KvException refusal = ClockWork.refusal(opened);
      opened.close();
      throw refusal;
    }
    return opened;
  }

  /** Opens both stores, whether or not the source has a leader. */
  MigrationFile.Opened openAny() {
    return read().open();
  }

  MigrationFile read() {
    return MigrationFile.read(file);
  }
}
