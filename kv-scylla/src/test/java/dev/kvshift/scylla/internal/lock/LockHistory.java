package dev.kvshift.scylla.internal.lock;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * The locks and counts that processes have recorded, and its check. The final value of a key
 * follows from a chain of counts. Every acknowledged count must be in the chain, no refused one may
 * be, and tokens never fall along it. A lock that was taken after another of the same key has the
 * higher token.
 */
final class LockHistory {
  static final String NONE = "none";

  enum Outcome {
    ACKNOWLEDGED,
    REFUSED,
    UNKNOWN
  }

  /** One count, recorded by its process before it was sent. */
  record Count(String key, String name, String after, long number, long token) {}

  /** One lock: when its process requested and acquired it, in ns on the machine's clock. */
  record Grant(String key, long token, long asked, long had) {}

  private final Map<String, Count> counts = new HashMap<>();
  private final Map<String, Outcome> outcomes = new HashMap<>();
  private final List<Grant> grants = new ArrayList<>();

  static LockHistory read(Path folder) throws IOException {
    LockHistory history = new LockHistory();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, "history-*")) {
      for (Path file : files) {
        String text = Files.readString(file);
        text.substring(0, text.lastIndexOf('\n') + 1).lines().forEach(history::add);
      }
    }
    return history;
  }

  void add(String line) {
    String[] word = line.split(" ", -1);
    switch (word[0]) {
      case "lock" ->
          grants.add(
              new Grant(
                  word[1],
                  Long.parseLong(word[2]),
                  Long.parseLong(word[3]),
                  Long.parseLong(word[4])));
      case "count" ->
          counts.put(
              word[2],
              new Count(
                  word[1], word[2], word[3], Long.parseLong(word[4]), Long.parseLong(word[5])));
      case "acknowledged" -> outcomes.put(word[1], Outcome.ACKNOWLEDGED);
      case "refused" -> outcomes.put(word[1], Outcome.REFUSED);
      default -> {}
    }
  }

  List<Grant> grants() {
    return grants;
  }

  long counted(Outcome outcome) {
    return counts.keySet().stream().filter(name -> outcome(name) == outcome).count();
  }

  /**
   * Returns what is wrong.
   *
   * @param last the final value of each key: the number and the name of its last count
   */
  List<String> violations(Map<String, String> last) {
    List<String> wrong = new ArrayList<>();
    Set<String> counting = new HashSet<>();
    last.forEach((key, value) -> walk(key, value, counting, wrong));
    for (String name : new TreeSet<>(counts.keySet())) {
      boolean counts = counting.contains(name);
      if (outcome(name) == Outcome.ACKNOWLEDGED && !counts) {
        wrong.add("acknowledged and lost: " + this.counts.get(name));
      }
      if (outcome(name) == Outcome.REFUSED && counts) {
        wrong.add("refused and written: " + this.counts.get(name));
      }
    }
    checkTokens(wrong);
    return wrong;
  }

  private void walk(String key, String value, Set<String> counting, List<String> wrong) {
    String[] word = value.split(" ", -1);
    long number = Long.parseLong(word[0]);
    String name = word[1];
    long token = Long.MAX_VALUE;
    while (!name.equals(NONE)) {
      Count count = counts.get(name);
      if (count == null || !counting.add(name)) {
        wrong.add("key " + key + ": count " + name + " was never meant, or comes twice");
        return;
      }
      if (!count.key().equals(key) || count.number() != number || count.token() > token) {
        wrong.add("key " + key + ": number " + number + ", token " + token + " after " + count);
      }
      token = count.token();
      number--;
      name = count.after();
    }
    if (number != 0) {
      wrong.add("key " + key + ": the first count follows number " + number);
    }
  }

  private void checkTokens(List<String> wrong) {
    Map<String, Grant> lastAsked = new HashMap<>();
    Map<String, Long> lastToken = new HashMap<>();
    grants.sort(Comparator.comparingLong(Grant::token));
    for (Grant grant : grants) {
      Long before = lastToken.put(grant.key(), grant.token());
      if (before != null && before == grant.token()) {
        wrong.add("token given twice: " + grant);
      }
      Grant later = lastAsked.merge(grant.key(), grant, (a, b) -> a.asked() >= b.asked() ? a : b);
      if (grant.had() < later.asked()) {
        wrong.add("tokens fell: " + grant + ", then " + later);
      }
    }
  }

  private Outcome outcome(String name) {
    return outcomes.getOrDefault(name, Outcome.UNKNOWN);
  }
}
