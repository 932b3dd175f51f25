package dev.kvshift.legacy.server;

import dev.kvshift.api.KvException;
import dev.kvshift.legacy.wire.Tokens;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The tokens of a token file, one a line, with the role of each: {@code serve TOKEN}, {@code
 * migrate TOKEN}, {@code administer TOKEN}, or {@code TOKEN} alone, which may do everything.
 * Immutable.
 */
final class AccessTokens {
  private static final int MAX_FILE_BYTES = 64 << 10;

  private record Entry(Role role, String token) {}

  private final List<Entry> entries;

  private AccessTokens(List<Entry> entries) {
    this.entries = entries;
  }

  /**
   * Reads a token file.
   *
   * @throws KvException.Permanent if it cannot be read, holds no token, or has a line that is not a
   *     token
   */
  static AccessTokens read(Path file) {
    String text;
    try {
      if (Files.size(file) > MAX_FILE_BYTES) {
        throw new KvException.Permanent(
            "token file " + file + " is larger than " + MAX_FILE_BYTES + " bytes: shorten it");
      }
      text = Files.readString(file, StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new KvException.Permanent(
          "token file " + file + " cannot be read: check its path and permissions", e);
    }
    List<Entry> entries = new ArrayList<>();
    for (String line : text.lines().toList()) {
      if (!line.isEmpty()) {
        entries.add(entry(line, file));
      }
    }
    if (entries.isEmpty()) {
      throw new KvException.Permanent("token file " + file + " holds no token: add one");
    }
    return new AccessTokens(List.copyOf(entries));
  }

  private static Entry entry(String line, Path file) {
    Role role = Role.ADMINISTER;
    String token = line;
    for (Role each : Role.values()) {
      if (line.startsWith(each + " ")) {
        role = each;
        token = line.substring(each.toString().length() + 1);
      }
    }
    if (!Tokens.isToken(token)) {
      throw new KvException.Permanent(
          "token file "
              + file
              + " has a line that is not a token: give TOKEN, or serve, migrate or administer and"
              + " TOKEN, of visible ASCII characters without spaces");
    }
    return new Entry(role, token);
  }

  /** Returns the role of a token; null if it has none. Takes as long for any token. */
  @Nullable Role role(@Nullable String shown) {
    byte[] bytes = (shown == null ? "" : shown).getBytes(StandardCharsets.UTF_8);
    Role role = null;
    for (Entry entry : entries) {
      if (MessageDigest.isEqual(entry.token.getBytes(StandardCharsets.UTF_8), bytes)
          && (role == null || entry.role.includes(role))) {
        role = entry.role;
      }
    }
    return role;
  }
}
