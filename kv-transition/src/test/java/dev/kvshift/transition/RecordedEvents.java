package dev.kvshift.transition;

import dev.kvshift.api.KvObserver;
import java.util.Queue;

/**
 * An observer that records the events of a store, in the order of their arrival.
 *
 * @param events receives the events; safe for use by many threads
 */
record RecordedEvents(Queue<KvObserver.Event> events) implements KvObserver {
  @Override
  public Ending begin(Start start) {
    return end -> {};
  }

  @Override
  public void happened(Event event) {
    events.add(event);
  }
}
