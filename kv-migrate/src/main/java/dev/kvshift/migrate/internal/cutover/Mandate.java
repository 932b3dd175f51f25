package dev.kvshift.migrate.internal.cutover;

import dev.kvshift.spi.Gate;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The right to hand collections over, which an attempt at a task of hosts loses: to the next
 * attempt, or because a person takes the cutover back.
 *
 * <p>The number of the attempt is a part of the names of its fences. So the next attempt knows a
 * fence that was left by one before it, which has lost the task for good, from the fence of a run
 * that may be alive.
 *
 * @param attempt number of the attempt; 0 for a run of a person's own
 * @param require throws once the right is lost; asks the ledger
 */
public record Mandate(long attempt, Runnable require) {
  /** The right of a run of a person's own, which it does not lose. */
  public static final Mandate OWN = new Mandate(0, () -> {});

  private static final Pattern TASK = Pattern.compile("task-(\\d{1,18})-.*");

  /** Returns the name of a new fence. */
  String draw() {
    String name = UUID.randomUUID().toString();
    return attempt == 0 ? name : "task-" + attempt + "-" + name;
  }

  /** Returns whether an earlier attempt at the same task has left a fence. */
  boolean succeeds(Gate.Fence fence) {
    Matcher task = TASK.matcher(fence.attempt());
    return task.matches() && Long.parseLong(task.group(1)) < attempt;
  }
}
