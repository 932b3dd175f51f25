package dev.kvshift.spi;

import dev.kvshift.api.KvException;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A leader's refusal of a step, a fence or a hand-over while live instances are not ready for it.
 * Nothing was changed. Names the instances, at most {@value #MAX_NAMED} in the message.
 */
public final class InstancesNotReady extends KvException.Transient {
  private static final long serialVersionUID = 1;
  private static final int MAX_NAMED = 5;

  private final String collection;
  private final transient List<Obstacle> obstacles;

  /**
   * An instance that is not ready.
   *
   * @param instance its name
   * @param service its service
   * @param reason what it lacks, and what to do
   */
  public record Obstacle(String instance, String service, String reason) {
    @Override
    public String toString() {
      return service + " (" + instance + "): " + reason;
    }
  }

  /** Creates a refusal. */
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

  /** Returns the collection. */
  public String collection() {
    return collection;
  }

  /** Returns the instances that are not ready. */
  public List<Obstacle> obstacles() {
    return obstacles;
  }
}
