package dev.kvshift.testkit.clause;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Range;
import java.util.List;
import java.util.Random;

/** One operation of a random run. Depends on the seed alone. */
sealed interface RandomOperation {
  record Put(CollectionApi api, int main, Bytes clustering, Bytes value, Life life)
      implements RandomOperation {}

  record Delete(CollectionApi api, int main, Bytes clustering) implements RandomOperation {}

  record Get(CollectionApi api, int main, Bytes clustering) implements RandomOperation {}

  record ReadRange(CollectionApi api, int main, Range range, int limit)
      implements RandomOperation {}

  /**
   * A write with a version.
   *
   * @param version microseconds above the first version of the run
   */
  record Versioned(int main, Bytes clustering, Bytes value, boolean delete, int version)
      implements RandomOperation {}

  /** Time passes until every short TTL so far has expired. */
  record EndShortLives() implements RandomOperation {}

  /** The TTL of an entry. */
  enum Life {
    NONE,
    LONG,
    SHORT
  }

  /** The operations that a driver supports. */
  record Abilities(boolean ranges, boolean versions, boolean expiry, boolean movableClock) {}

  int MAINS = 2;
  List<CollectionApi> APIS = List.of(CollectionApi.values());

  static RandomOperation draw(Random random, Abilities can) {
    CollectionApi api = APIS.get(random.nextInt(APIS.size()));
    int main = random.nextInt(MAINS);
    Bytes clustering = can.ranges() ? key(random) : Bytes.empty();
    int dice = random.nextInt(100);
    if (dice < 30) {
      return new Put(api, main, clustering, value(random), life(random, can));
    } else if (dice < 42) {
      return new Delete(api, main, clustering);
    } else if (dice < 60) {
      return new Get(api, main, clustering);
    } else if (dice < 80 && can.ranges()) {
      return new ReadRange(api, main, range(random), 1 + random.nextInt(9));
    } else if (dice < 97 && can.versions()) {
      return new Versioned(
          main, clustering, value(random), random.nextInt(4) == 0, random.nextInt(20));
    } else if (can.movableClock() && can.expiry()) {
      return new EndShortLives();
    }
    return new Get(api, main, clustering);
  }

  private static Life life(Random random, Abilities can) {
    if (!can.expiry() || random.nextInt(3) > 0) {
      return Life.NONE;
    }
    return can.movableClock() && random.nextBoolean() ? Life.SHORT : Life.LONG;
  }

  private static Range range(Random random) {
    Range.Direction direction =
        random.nextBoolean() ? Range.Direction.FORWARD : Range.Direction.BACKWARD;
    return Range.all()
        .withFrom(random.nextInt(3) == 0 ? null : key(random), random.nextBoolean())
        .withTo(random.nextInt(3) == 0 ? null : key(random), random.nextBoolean())
        .withDirection(direction);
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
