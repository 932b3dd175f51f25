package dev.kvshift.migrate;

import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.ReadOptions;
import dev.kvshift.api.WriteOptions;
import dev.kvshift.model.Stores;
import java.io.FileWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;

/**
 * A service process whose clients each write keys of their own, one operation after the other, and
 * journal every operation before it is sent and after it has ended. A line of the journal is {@code
 * KIND KEY VALUE}; see {@link Kind}.
 */
final class ChaosService {
  static final String READY = "SERVICE";
  static final String DELETED = "-";
  static final int CLIENTS = 2;
  static final int KEYS = 200;

  private static final Duration DEADLINE = Duration.ofSeconds(30);
  private static final Duration PAUSE = Duration.ofMillis(3);

  /** What a line of a journal says. */
  enum Kind {
    /** A write is about to be sent. */
    SENT,
    /** The write that was sent last was acknowledged. */
    DONE,
    /** Its outcome is unknown. */
    UNKNOWN,
    /** It has failed, and had no effect. */
    FAILED,
    /** A read has returned this value. */
    READ,
    /** A read has failed. */
    NOT_READ
  }

  private ChaosService() {}

  /** Takes the connection string, collection, layout, the folder of journals, name and seed. */
  public static void main(String[] args) throws IOException {
    KvStore store = Stores.connect(args[0]);
    KvCollection items = store.collection(args[1], Layout.parse(args[2]));
    List<Thread> clients = new ArrayList<>();
    for (int client = 0; client < CLIENTS; client++) {
      String name = args[4] + "-" + client;
      Writer journal = new FileWriter(args[3] + "/" + name, StandardCharsets.UTF_8, true);
      Random random = new Random(Long.parseLong(args[5]) + client);
      clients.add(new Thread(() -> work(items, name, journal, random), name));
    }
    System.out.println(READY);
    clients.forEach(Thread::start);
  }

  static Key key(String name) {
    return Key.of(Bytes.utf8("main-" + Math.floorMod(name.hashCode(), 23)), Bytes.utf8(name));
  }

  private static void work(KvCollection items, String client, Writer journal, Random random) {
    long begun = System.nanoTime();
    for (long step = 0; ; step++) {
      String name = client + "-" + random.nextInt(KEYS);
      int dice = random.nextInt(10);
      if (dice == 0) {
        read(items, name, journal);
      } else {
        String value = dice < 3 ? DELETED : begun + "." + step;
        write(items, name, value, journal);
      }
      LockSupport.parkNanos(PAUSE.toNanos());
    }
  }

  private static void write(KvCollection items, String name, String value, Writer journal) {
    say(journal, Kind.SENT, name, value);
    Kind end = Kind.DONE;
    try {
      if (value.equals(DELETED)) {
        items.delete(key(name), WriteOptions.timeout(DEADLINE));
      } else {
        items.put(key(name), Bytes.utf8(value), WriteOptions.timeout(DEADLINE));
      }
    } catch (KvException e) {
      System.out.println(e);
      end = e.mayHaveBeenApplied() ? Kind.UNKNOWN : Kind.FAILED;
    }
    say(journal, end, name, value);
  }

  private static void read(KvCollection items, String name, Writer journal) {
    try {
      String value =
          items.get(key(name), ReadOptions.timeout(DEADLINE)).map(Bytes::toUtf8).orElse(DELETED);
      say(journal, Kind.READ, name, value);
    } catch (KvException e) {
      System.out.println(e);
      say(journal, Kind.NOT_READ, name, DELETED);
    }
  }

  /** Writes a line at once: what a killed process has written stays. */
  private static void say(Writer journal, Kind kind, String name, String value) {
    try {
      journal.write(kind + " " + name + " " + value + "\n");
      journal.flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
