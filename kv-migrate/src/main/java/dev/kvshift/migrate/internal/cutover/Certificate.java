package dev.kvshift.migrate.internal.cutover;

import com.google.common.hash.Hashing;
import com.google.gson.JsonObject;
import dev.kvshift.migrate.api.MigrationException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/**
 * The proof under which a collection moves: JSON whose last member is the SHA-256 of the others.
 * Immutable.
 */
public final class Certificate {
  /** How old a comparison may be at the move. */
  public static final Duration MAX_AGE = Duration.ofHours(24);

  private static final List<String> BEFORE_FENCE =
      List.of(
          "collection",
          "layout",
          "incarnation",
          "topic",
          "streamedFrom",
          "verify",
          "copy",
          "quarantined",
          "horizons");
  private static final List<String> IN_FENCE = List.of("fence", "tail", "clock");
  private static final String CHECKSUM = "sha256";

  private final JsonObject members;

  private Certificate(JsonObject members) {
    this.members = members;
  }

  public static Certificate of(JsonObject members) {
    JsonObject own = members.deepCopy();
    own.remove(CHECKSUM);
    return new Certificate(own);
  }

  /** Returns the certificate with further members. */
  public Certificate with(JsonObject more) {
    JsonObject all = members.deepCopy();
    more.entrySet().forEach(member -> all.add(member.getKey(), member.getValue()));
    return new Certificate(all);
  }

  /**
   * Checks all that can be before the fence.
   *
   * @throws MigrationException.CutoverRefused naming what is missing
   */
  public void requireReadyForFence(Instant now) {
    requireMembers(BEFORE_FENCE);
    JsonObject verify = members.getAsJsonObject("verify");
    if (verify.get("differences").getAsLong() != 0) {
      throw refused("the last comparison found differences: repair them and verify again");
    }
    Duration age = Duration.between(Instant.parse(verify.get("at").getAsString()), now);
    if (age.compareTo(MAX_AGE) > 0) {
      throw refused("the last comparison is " + age.toHours() + " h old: verify again");
    }
    if (members.get("quarantined").getAsInt() != 0) {
      throw refused(
          members.get("quarantined").getAsInt()
              + " keys are in quarantine, whose newest version is not on the target: see to them");
    }
    if (members.getAsJsonObject("copy").get("residue").getAsLong() != 0) {
      throw refused("the copy's accounting has a residue: report this");
    }
  }

  /** Checks that nothing is missing for the move. */
  public void requireComplete(Instant now) {
    requireReadyForFence(now);
    requireMembers(IN_FENCE);
    if (members.getAsJsonObject("tail").get("differences").getAsLong() != 0) {
      throw refused("the tail check found differences");
    }
  }

  private void requireMembers(List<String> names) {
    for (String name : names) {
      if (!members.has(name)) {
        throw refused("its certificate has no '" + name + "': do that step first");
      }
    }
  }

  private MigrationException.CutoverRefused refused(String why) {
    return new MigrationException.CutoverRefused(
        "the collection "
            + (members.has("collection") ? members.get("collection").getAsString() : "")
            + " was not moved: "
            + why);
  }

  /** Returns the members with the checksum. */
  public JsonObject print() {
    JsonObject all = members.deepCopy();
    all.addProperty(
        CHECKSUM,
        Hashing.sha256().hashString(members.toString(), StandardCharsets.UTF_8).toString());
    return all;
  }
}
