package dev.kvshift.transition;

import dev.kvshift.api.Cohort;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.ConnectionString.Parameter;
import dev.kvshift.api.KvException;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreProvider;
import java.nio.file.Path;
import java.util.List;

/**
 * Opens {@code transition://NAME?old=…&new=…}: one store made of an old and a new one. NAME is the
 * service's name, under which the leader lists its instances. Neither side has to answer for the
 * store to open; a collection needs the old side or, where the new one serves alone, that one.
 *
 * <p>With {@code access=read&prefer=new}, a service reads from the new side as soon as its
 * migration has caught up, and from the old side while the new one cannot answer.
 */
public final class TransitionProvider implements StoreProvider {
  private static final String COHORT = "cohort";

  @Override
  public String scheme() {
    return "transition";
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(
        Parameter.required(
            "old", "connection string of the old store, percent-encoded, env:NAME or file:PATH"),
        Parameter.required(
            "new", "connection string of the new store, percent-encoded, env:NAME or file:PATH"),
        Parameter.optional(
            "prefer",
            Events.OLD,
            "old or new: the side that answers a service with access=read before the switch"),
        Parameter.optional(
            COHORT,
            "",
            "file of the main keys that are read from the new store first in phase new-read: a line"
                + " per key, COLLECTION HEX"));
  }

  @Override
  public Store open(ConnectionString string, Context context) {
    ConnectionString oldSide = string.nested("old");
    ConnectionString newSide = string.nested("new");
    String preferred = string.parameter("prefer").orElse(Events.OLD);
    if (!preferred.equals(Events.OLD) && !preferred.equals(Events.NEW)) {
      throw new KvException.Permanent(
          "parameter 'prefer' of transition:// is '" + preferred + "': give old or new");
    }
    return new TransitionStore(
        new TransitionStore.Service(
            string.hosts().get(0).name(),
            preferred.equals(Events.NEW),
            cohort(string, context.cohort())),
        new Side(oldSide, context),
        new Side(newSide, context),
        context.clock(),
        new Events(context.observer(), string.toString()));
  }

  /** Returns the main keys that the service or the string's file chooses. */
  private static Cohort cohort(ConnectionString string, Cohort ofService) {
    return string
        .parameter(COHORT)
        .map(file -> CohortFile.read(Path.of(file)))
        .<Cohort>map(
            listed ->
                (collection, main) ->
                    listed.includes(collection, main) || ofService.includes(collection, main))
        .orElse(ofService);
  }
}
