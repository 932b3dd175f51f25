package dev.kvshift.migrate.internal.task;

import dev.kvshift.api.KvException;

/** Another process has taken the task, so this one must not go on with it. */
public final class TaskLost extends KvException.Transient {
  private static final long serialVersionUID = 1;

  TaskLost(String task) {
    super(
        "another runner has taken "
            + task
            + ", so this one ends its own attempt: let only one run of its kind at a time work on a"
            + " collection");
  }
}
