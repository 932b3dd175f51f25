package dev.kvshift.spi;

import dev.kvshift.api.KvException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A leader's refusal of a step, a fence or a hand-over while live instances are not ready for it.
 * Nothing was changed. Names the instances, at most {@value #MAX_NAMED} in the message.
 */
public final class InstancesNotReady extends KvException.Transient {
  private static final long serialVersionUID = 1;
  private static final int MAX_NAMED = 5;

  private final String collection;
  private final transient List<Obstacle> obstacles;

  /** An instance that is not ready. Immutable. */
  public static final class Obstacle {
    private final String instance;
    private final String service;
    private final String reason;

    private Obstacle(String instance, String service, String reason) {
      this.instance = Objects.requireNonNull(instance, "instance");
      this.service = Objects.requireNonNull(service, "service");
      this.reason = Objects.requireNonNull(reason, "reason");
    }

    /**
     * Returns an obstacle, for drivers.
     *
     * @param instance its name
     * @param service its service
     * @param reason what it lacks, and what to do
     */
    public static Obstacle of(String instance, String service, String reason) {
      return new Obstacle(instance, service, reason);
    }

    /** Returns the instance's name. */
    public String instance() {
      return instance;
    }

    /** Returns the name of its service. */
    public String service() {
      return service;
    }

    /** Returns what it lacks, and what to do. */
    public String reason() {
      return reason;
    }

    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Obstacle that
          && instance.equals(that.instance)
          && service.equals(that.service)
          && reason.equals(that.reason);
    }

    @Override
    public int hashCode() {
      return Objects.hash(instance, service, reason);
    }

    @Override
    public String toString() {
      return service + " (" + instance + "): " + reason;
    }
  }

  /**
   * Returns the obstacles that keep instances from following a collection into a phase.
   *
   * @param collection the collection's name
   * @param instances the collection's live instances
   * @param phase the phase to come
   * @param copy the copy that the gate names; null for none
   * @param givenUp the services that a person has given up; they are not obstacles
   */
  public static List<Obstacle> obstacles(
      String collection,
      List<Gate.Instance> instances,
      Phase phase,
      @Nullable Copy copy,
      Set<String> givenUp) {
    return obstacles(instances, report -> report.obstacle(collection, phase, copy), givenUp);
  }

  /**
   * Returns the obstacles that keep instances from following a move that keeps a way back.
   *
   * @param collection the collection's name
   * @param instances the collection's live instances
   * @param givenUp the services that a person has given up; they are not obstacles
   */
  public static List<Obstacle> obstaclesToWayBack(
      String collection, List<Gate.Instance> instances, Set<String> givenUp) {
    return obstacles(instances, report -> report.obstacleToWayBack(collection), givenUp);
  }

  private static List<Obstacle> obstacles(
      List<Gate.Instance> instances,
      Function<InstanceReport, @Nullable String> obstacle,
      Set<String> givenUp) {
    List<Obstacle> obstacles = new ArrayList<>();
    for (Gate.Instance instance : instances) {
      String service = instance.report().service();
      String reason = obstacle.apply(instance.report());
      if (reason != null && !givenUp.contains(service)) {
        obstacles.add(Obstacle.of(instance.name(), service, reason));
      }
    }
    return obstacles;
  }

  /**
   * Creates a refusal.
   *
   * @param collection the collection's name
   * @param obstacles the instances that are not ready
   */
  public InstancesNotReady(String collection, List<Obstacle> obstacles) {
    super(message(collection, obstacles));
    this.collection = collection;
    this.obstacles = List.copyOf(obstacles);
  }

  private static String message(String collection, List<Obstacle> obstacles) {
    return "collection "
        + collection
        + " stays as it is: "
        + obstacles.size()
        + " of its instances "
        + (obstacles.size() == 1 ? "is" : "are")
        + " not ready: "
        + obstacles.stream()
            .limit(MAX_NAMED)
            .map(Obstacle::toString)
            .collect(Collectors.joining("; "))
        + (obstacles.size() > MAX_NAMED ? "; …" : "");
  }

  /** Returns the collection's name. */
  public String collection() {
    return collection;
  }

  /** Returns the instances that are not ready. */
  public List<Obstacle> obstacles() {
    return obstacles;
  }
}
