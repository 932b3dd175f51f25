package dev.kvshift.testkit;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Range;
import java.util.List;
import java.util.Random;

/** One operation of a random run: drawn from a seed, printable, and the same wherever it runs. */
sealed interface RandomOperation {
  /** The face of the operation that reads or writes through one. */
  record Put(Face face, int main, Bytes clustering, Bytes value, Life life)
      implements RandomOperation {}

  record Delete(Face face, int main, Bytes clustering) implements RandomOperation {}

  record Get(Face face, int main, Bytes clustering) implements RandomOperation {}

  record ReadRange(Face face, int main, Range range, int limit) implements RandomOperation {}

  /** A write at a version so many microseconds above the run's first. */
  record Versioned(int main, Bytes clustering, Bytes value, boolean delete, int version)
      implements RandomOperation {}

  /** Time passes until every short life so far has ended. */
  record EndShortLives() implements RandomOperation {}

  /** How long an entry lives. */
  enum Life {
    FOR_EVER,
    LONG,
    SHORT
  }

  /** What a driver can be asked for. */
  record Abilities(boolean ranges, boolean versions, boolean expiry, boolean movableClock) {}

  int MAINS = 2;
  List<Face> FACES = List.of(Face.values());

  static RandomOperation draw(Random random, Abilities can) {
    Face face = FACES.get(random.nextInt(FACES.size()));
    int main = random.nextInt(MAINS);
    Bytes clustering = can.ranges() ? key(random) : Bytes.empty();
    int dice = random.nextInt(100);
    if (dice < 30) {
      return new Put(face, main, clustering, value(random), life(random, can));
    } else if (dice < 42) {
      return new Delete(face, main, clustering);
    } else if (dice < 60) {
      return new Get(face, main, clustering);
    } else if (dice < 80 && can.ranges()) {
      return new ReadRange(face, main, range(random), 1 + random.nextInt(9));
    } else if (dice < 97 && can.versions()) {
      return new Versioned(
          main, clustering, value(random), random.nextInt(4) == 0, random.nextInt(20));
    } else if (can.movableClock() && can.expiry()) {
      return new EndShortLives();
    }
    return new Get(face, main, clustering);
  }

  private static Life life(Random random, Abilities can) {
    if (!can.expiry() || random.nextInt(3) > 0) {
      return Life.FOR_EVER;
    }
    return can.movableClock() && random.nextBoolean() ? Life.SHORT : Life.LONG;
  }

  private static Range range(Random random) {
    Range.Direction direction =
        random.nextBoolean() ? Range.Direction.FORWARD : Range.Direction.BACKWARD;
    return new Range(
        random.nextInt(3) == 0 ? null : key(random),
        random.nextBoolean(),
        random.nextInt(3) == 0 ? null : key(random),
        random.nextBoolean(),
        direction);
  }

  private static Bytes key(Random random) {
    byte[] letters = {0, 0x7f, (byte) 0x80, (byte) 0xff};
    byte[] key = new byte[random.nextInt(4)];
    for (int i = 0; i < key.length; i++) {
      key[i] = letters[random.nextInt(letters.length)];
    }
    return Bytes.of(key);
  }

  private static Bytes value(Random random) {
    byte[] value = new byte[random.nextInt(20) == 0 ? 0 : 1 + random.nextInt(3)];
    random.nextBytes(value);
    return Bytes.of(value);
  }
}
