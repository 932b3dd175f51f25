package dev.kvshift.migrate.api;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The state of hosts and of the collections that they migrate.
 *
 * @param hosts the live hosts
 * @param collections the collections, in the order of the plan
 */
public record HostStatus(List<Host> hosts, List<Collection> collections) {
  /** Copies the lists. */
  public HostStatus {
    hosts = List.copyOf(hosts);
    collections = List.copyOf(collections);
  }

  /**
   * A live host.
   *
   * @param name its name, which tasks that it holds name as their owner
   * @param address the address from which it talks to the broker
   */
  public record Host(String name, String address) {}

  /**
   * A collection.
   *
   * @param migration its state as both stores know it
   * @param isPaused whether hosts are to leave it alone
   * @param tasks the tasks that somebody has asked for, and the parts of the copy that somebody
   *     works on or that have failed
   */
  public record Collection(MigrationStatus migration, boolean isPaused, List<Task> tasks) {
    /** Copies the list. */
    public Collection {
      tasks = List.copyOf(tasks);
    }

    /** Returns a task that somebody has asked for. */
    public Optional<Task> task(TaskKind kind) {
      return tasks.stream().filter(task -> task.name().equals(kind.word())).findFirst();
    }
  }

  /**
   * A task.
   *
   * @param name its kind, or {@code copy-N} for part N of the copy
   * @param status wanted, running, done or failed
   * @param owner the host that does it, or the last that did; empty before the first attempt
   * @param attempt number of times that a host has taken it
   * @param failures number of failures in a row
   * @param reason the last failure, or empty
   * @param done the amount that is done, in rows or changes
   * @param total the whole amount; 0 if it is not known
   * @param note what it waits for, or what has come of it; empty if there is nothing to say
   * @param failure the kind of the failure for which it stays failed; null in other states
   */
  public record Task(
      String name,
      String status,
      String owner,
      long attempt,
      int failures,
      String reason,
      long done,
      long total,
      String note,
      @Nullable Failure failure) {
    /** Returns whether it will change no more by itself. */
    public boolean hasEnded() {
      return status.equals("done") || status.equals("failed");
    }

    /** Returns whether it has failed, and waits for somebody to ask again. */
    public boolean hasFailed() {
      return status.equals("failed");
    }
  }
}
