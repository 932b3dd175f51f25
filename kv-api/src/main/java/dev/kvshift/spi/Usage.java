package dev.kvshift.spi;

import java.time.Instant;
import java.util.List;
import java.util.Objects;

/**
 * The clients that have used a collection or a lock space, as its leader remembers over restarts.
 * Immutable.
 */
public final class Usage {
  private final Instant remembered;
  private final List<Client> clients;

  private Usage(Instant remembered, List<Client> clients) {
    this.remembered = remembered;
    this.clients = List.copyOf(clients);
  }

  /**
   * Returns a usage.
   *
   * @param remembered since when the leader remembers every client
   * @param clients the clients
   */
  public static Usage of(Instant remembered, List<Client> clients) {
    return new Usage(Objects.requireNonNull(remembered), clients);
  }

  /** Returns since when the leader remembers every client, by its clock. */
  public Instant remembered() {
    return remembered;
  }

  /** Returns the clients, the last seen first. */
  public List<Client> clients() {
    return clients;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Usage that
        && remembered.equals(that.remembered)
        && clients.equals(that.clients);
  }

  @Override
  public int hashCode() {
    return Objects.hash(remembered, clients);
  }

  @Override
  public String toString() {
    return clients + " since " + remembered;
  }

  /** A client, and when it was last seen. Immutable. */
  public static final class Client {
    private final String name;
    private final Instant lastSeen;

    private Client(String name, Instant lastSeen) {
      this.name = name;
      this.lastSeen = lastSeen;
    }

    /**
     * Returns a client.
     *
     * @param name its name, as its connection string gives it
     * @param lastSeen when its last request arrived, by the leader's clock
     */
    public static Client of(String name, Instant lastSeen) {
      return new Client(Objects.requireNonNull(name), Objects.requireNonNull(lastSeen));
    }

    /** Returns its name, as its connection string gives it. */
    public String name() {
      return name;
    }

    /** Returns when its last request arrived, by the leader's clock. */
    public Instant lastSeen() {
      return lastSeen;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Client that
          && name.equals(that.name)
          && lastSeen.equals(that.lastSeen);
    }

    @Override
    public int hashCode() {
      return Objects.hash(name, lastSeen);
    }

    @Override
    public String toString() {
      return name + " at " + lastSeen;
    }
  }
}
