package dev.kvshift.demo.run;

import dev.kvshift.migrate.api.Way;
import java.nio.file.Path;
import java.time.Duration;

/**
 * The options of a demo.
 *
 * @param way how the live writer changes to the new store
 * @param input the folder whose jars are read after the JDK's own class files
 * @param records the approximate number of records to migrate, over both collections
 * @param afterCutover the time for which the live writer continues after the last cutover
 * @param seed the seed of the live writer's choices
 * @param wayBack whether each collection is moved, taken back and moved again
 */
public record DemoOptions(
    Way way, Path input, long records, Duration afterCutover, long seed, boolean wayBack) {}
