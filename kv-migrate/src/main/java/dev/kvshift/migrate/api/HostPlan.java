package dev.kvshift.migrate.api;

import dev.kvshift.api.KvException;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The collections that hosts migrate together. Every host with the same name shares their tasks, so
 * all of them are given the same plan.
 *
 * @param name the name under which hosts find each other at the broker: 1 to 64 of {@code a-z 0-9
 *     -}
 * @param collections the collections; at least one, each once, all with the same stores and broker
 * @param lease how long a task stays a host's own after it was last heard of: 3 s to 5 min. The
 *     tasks of a host that dies are taken over after that.
 */
public record HostPlan(String name, List<MigrationPlan> collections, Duration lease) {
  /** The lease if none is given: 10 s. */
  public static final Duration DEFAULT_LEASE = Duration.ofSeconds(10);

  private static final Pattern NAME = Pattern.compile("[a-z0-9-]{1,64}");
  private static final Duration SHORTEST_LEASE = Duration.ofSeconds(3);
  private static final Duration LONGEST_LEASE = Duration.ofMinutes(5);

  /**
   * Checks the plan, and copies the list.
   *
   * @throws KvException.Permanent if it is malformed
   */
  public HostPlan {
    requireName(name);
    requireLease(lease);
    collections = List.copyOf(collections);
    if (collections.isEmpty()) {
      throw new KvException.Permanent("the plan " + name + " has no collections: give some");
    }
    Set<String> names = new HashSet<>();
    for (MigrationPlan collection : collections) {
      if (!names.add(collection.collection())) {
        throw new KvException.Permanent(
            "collection " + collection.collection() + " is there twice: leave one out");
      }
    }
  }

  /**
   * Returns the plan of a collection.
   *
   * @throws KvException.Permanent if there is none of that name
   */
  public MigrationPlan collection(String wanted) {
    return collections.stream()
        .filter(each -> each.collection().equals(wanted))
        .findFirst()
        .orElseThrow(
            () -> unknown(wanted, collections.stream().map(MigrationPlan::collection).toList()));
  }

  /** Returns the error of a name that is not among the known ones. */
  public static KvException.Permanent unknown(String wanted, List<String> known) {
    return new KvException.Permanent(
        "there is no collection "
            + wanted
            + " in the configuration: give one of "
            + String.join(", ", known));
  }

  /**
   * Returns the name.
   *
   * @throws KvException.Permanent if it is malformed
   */
  public static String requireName(String name) {
    if (!NAME.matcher(Objects.requireNonNull(name)).matches()) {
      throw new KvException.Permanent(
          "'" + name + "' is not a name of hosts: give 1 to 64 of a-z, 0-9 and -");
    }
    return name;
  }

  /**
   * Returns the lease.
   *
   * @throws KvException.Permanent if it is out of range
   */
  public static Duration requireLease(Duration lease) {
    if (lease.compareTo(SHORTEST_LEASE) < 0 || lease.compareTo(LONGEST_LEASE) > 0) {
      throw new KvException.Permanent(
          "a lease of " + lease.toSeconds() + " s: give 3 to 300 seconds");
    }
    return lease;
  }
}
