package dev.kvshift.migrate;

import static dev.kvshift.testkit.concurrent.Await.until;
import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Entry;
import dev.kvshift.api.Key;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.RangePage;
import dev.kvshift.model.Stores;
import dev.kvshift.testkit.oracle.RegisterHistory;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Services that work throughout a migration, with two clients each: one shares its keys with those
 * of the other services, whose history must be linearizable; the other has keys of its own, and
 * must read what it has written last, key by key and in ranges.
 */
final class LiveClients implements AutoCloseable {
  private static final int OPERATIONS = 200;
  private static final int JOURNAL_KEYS = 100;
  private static final PageLimit PAGE = PageLimit.entries(30);

  private final Layout layout;
  private final long seed;
  private final RegisterHistory history = new RegisterHistory();
  private final AtomicBoolean ended = new AtomicBoolean();
  private final AtomicInteger journalWrites = new AtomicInteger();
  private final List<Map<Key, Optional<Bytes>>> journals = new ArrayList<>();
  private final List<KvStore> services = new ArrayList<>();
  private final List<CompletableFuture<Void>> clients = new ArrayList<>();

  LiveClients(Layout layout, long seed) {
    this.layout = layout;
    this.seed = seed;
  }

  /** Starts a service. */
  void add(String service, String oldSide, String newSide) {
    KvStore store = RealStoresTest.service(service, oldSide, newSide, layout);
    services.add(store);
    KvCollection items = store.collection(Sides.COLLECTION, layout);
    Random random = new Random(seed + services.size());
    start(() -> history.run(items, random, ended::get));
    Map<Key, Optional<Bytes>> journal = new HashMap<>();
    journals.add(journal);
    Random other = new Random(seed + 100 + services.size());
    start(() -> journal(items, service, journal, other));
  }

  private void start(Runnable client) {
    clients.add(CompletableFuture.runAsync(client, task -> new Thread(task).start()));
  }

  private void journal(
      KvCollection items, String service, Map<Key, Optional<Bytes>> journal, Random random) {
    while (!ended.get()) {
      Key key =
          Key.of(
              Bytes.utf8("journal of " + service),
              Bytes.utf8("key " + random.nextInt(JOURNAL_KEYS)));
      int dice = random.nextInt(11);
      if (dice == 10) {
        requireRange(items, key.main(), journal, random.nextBoolean());
      } else if (dice < 4) {
        assertThat(items.get(key)).isEqualTo(journal.getOrDefault(key, Optional.empty()));
      } else if (dice < 6) {
        items.delete(key);
        journal.put(key, Optional.empty());
      } else {
        Bytes value = Bytes.utf8("value " + journalWrites.incrementAndGet());
        items.put(key, value);
        journal.put(key, Optional.of(value));
      }
    }
  }

  /** Checks that a range has the journal's entries, each once, in order. */
  private static void requireRange(
      KvCollection items, Bytes main, Map<Key, Optional<Bytes>> journal, boolean isForward) {
    Range range = isForward ? Range.all() : Range.all().backward();
    List<Entry> found = new ArrayList<>();
    RangePage page = items.getRange(main, range, PAGE);
    while (page.next() != null) {
      found.addAll(page.entries());
      page = items.getRange(main, range, PAGE, page.next());
    }
    found.addAll(page.entries());
    if (!isForward) {
      Collections.reverse(found);
    }
    SortedMap<Bytes, Bytes> expected = new TreeMap<>();
    journal.forEach((key, value) -> value.ifPresent(live -> expected.put(key.clustering(), live)));
    assertThat(found).extracting(Entry::clustering).containsExactlyElementsOf(expected.keySet());
    assertThat(found).extracting(Entry::value).containsExactlyElementsOf(expected.values());
  }

  /** Waits until all have worked for a while, or one has failed. */
  void awaitWork() {
    int before = history.operations();
    int written = journalWrites.get();
    until(
        "the services have worked",
        () ->
            (history.operations() > before + OPERATIONS
                    && journalWrites.get() > written + OPERATIONS)
                || clients.stream().anyMatch(CompletableFuture::isDone));
  }

  /** Checks that no operation has failed, and that each key had one order of operations. */
  void requireRight() {
    assertThat(clients).allSatisfy(client -> assertThat(client).isCompleted());
    assertThat(history.violations()).as("-Dkvshift.seed=%s", seed).isEmpty();
    assertThat(history.failed()).isZero();
  }

  /** Compares the journals with what a collection holds, and returns the number of their keys. */
  int compareWith(KvCollection items) {
    int compared = 0;
    for (Map<Key, Optional<Bytes>> journal : journals) {
      journal.forEach((key, value) -> assertThat(items.get(key)).as("%s", key).isEqualTo(value));
      journal.keySet().stream()
          .findAny()
          .ifPresent(any -> requireRange(items, any.main(), journal, true));
      compared += journal.size();
    }
    return compared;
  }

  /** Compares the journals with what a service reads that has changed its string. */
  int compareWith(String plain) {
    try (KvStore after = Stores.connect(plain)) {
      return compareWith(after.collection(Sides.COLLECTION, layout));
    }
  }

  /** Returns the number of operations, for people. */
  String figures() {
    return history.operations()
        + " operations of histories and "
        + journalWrites
        + " of journals, none failed";
  }

  /** Ends the clients, and closes the services. */
  @Override
  public void close() {
    ended.set(true);
    clients.forEach(client -> client.exceptionally(error -> null).join());
    services.forEach(KvStore::close);
  }
}
