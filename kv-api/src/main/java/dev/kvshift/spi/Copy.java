package dev.kvshift.spi;

import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The identity of the data that one migration writes to a target, drawn when the migration is
 * prepared.
 *
 * <p>The same copy is named by the target's collection record, by the leader's gate, by the
 * runner's ledger, by the certificate and by each instance's report. Nothing is activated, moved or
 * wiped on the strength of a collection's name alone: two stores can hold collections of one name.
 * Immutable.
 */
public final class Copy {
  private static final Pattern FORM = Pattern.compile("([0-9a-f]{32})@([!-~]{1,128})");
  private static final int ID_BYTES = 16;
  private static final SecureRandom RANDOM = new SecureRandom();

  private final String id;
  private final String source;

  private Copy(String id, String source) {
    this.id = id;
    this.source = source;
  }

  /**
   * Draws the identity of a new copy.
   *
   * @param source the origin of the source's change log, {@link ChangeSource#logId} at position 0:
   *     1 to 128 printable ASCII characters
   */
  public static Copy draw(String source) {
    byte[] id = new byte[ID_BYTES];
    RANDOM.nextBytes(id);
    return parse(HexFormat.of().formatHex(id) + "@" + source);
  }

  /**
   * Returns the copy that the text names.
   *
   * @throws IllegalArgumentException if the text is not of the form that {@link #toString} returns
   */
  public static Copy parse(String text) {
    Matcher form = FORM.matcher(text);
    if (!form.matches()) {
      throw new IllegalArgumentException("copy '" + text + "': give 32 hex digits, '@', source");
    }
    return new Copy(form.group(1), form.group(2));
  }

  /** Returns the random part: 32 hexadecimal digits. */
  public String id() {
    return id;
  }

  /** Returns the origin of the change log that the copy is made from. */
  public String source() {
    return source;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Copy that && id.equals(that.id) && source.equals(that.source);
  }

  @Override
  public int hashCode() {
    return Objects.hash(id, source);
  }

  /** Returns {@code ID@SOURCE}. */
  @Override
  public String toString() {
    return id + "@" + source;
  }
}
