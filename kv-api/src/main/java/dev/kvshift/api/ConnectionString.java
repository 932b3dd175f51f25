package dev.kvshift.api;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.StringJoiner;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Which database answers: {@code SCHEME://[USER[:PASSWORD]@][HOST[:PORT],…][/PATH][?NAME=VALUE&…]}.
 *
 * <p>Immutable. Secrets are never part of {@link #toString()}, also not those of strings that stand
 * within a parameter; {@link #print()} holds them all.
 *
 * <p>Percent-encoded as UTF-8: in user and password {@code % : @ ?}, in the path {@code % @ ?}, in
 * values {@code % &}; anything may be. A {@code +} is a plus. An IPv6 address stands in brackets. A
 * password, and a whole connection string within a parameter, can be given by reference: {@code
 * env:NAME} names an environment variable, {@code file:PATH} a file of UTF-8 text, whose last line
 * end does not count. References are read at each use, so that a rotated secret is met by the next
 * connect.
 *
 * @param scheme chooses the driver: a letter a-z, then at most 31 of a-z, 0-9, '+', '-' and '.'
 * @param user the user, or null
 * @param password the password or a reference to it, as given, or null; a driver takes {@link
 *     #currentPassword()}
 * @param hosts the hosts in the order given; none for a store in the process
 * @param path what follows the hosts, without the leading slash where there are hosts; or empty
 * @param parameters by name, in the order given
 */
public record ConnectionString(
    String scheme,
    @Nullable String user,
    @Nullable String password,
    List<Host> hosts,
    String path,
    Map<String, String> parameters) {

  /** The longest connection string, in characters. */
  public static final int MAX_CHARS = 65_536;

  private static final String HIDDEN = "***";
  private static final Pattern SECRET_NAME =
      Pattern.compile("(?i).*(password|secret|token|credential).*");

  /** A server's address; port 0 where none was given. */
  public record Host(String name, int port) {
    @Override
    public String toString() {
      String shown = name.indexOf(':') >= 0 ? "[" + name + "]" : name;
      return port == 0 ? shown : shown + ":" + port;
    }
  }

  public ConnectionString {
    hosts = List.copyOf(hosts);
    parameters = Collections.unmodifiableMap(new LinkedHashMap<>(parameters));
    if (password != null && user == null) {
      throw new IllegalArgumentException("a password belongs to a user");
    }
    if (hosts.isEmpty() && !path.isEmpty() && !path.startsWith("/")) {
      throw new IllegalArgumentException("a path without hosts begins with a slash");
    }
  }

  /**
   * Reads a connection string.
   *
   * @throws KvException.Permanent if it is not of the form above; nothing that could be a secret is
   *     part of the message
   */
  public static ConnectionString parse(String text) {
    return ConnectionStringParser.parse(text);
  }

  /**
   * Reads a connection string that is given whole or by reference.
   *
   * @throws KvException.Permanent if the reference leads nowhere or the string is wrong
   */
  public static ConnectionString resolve(String textOrReference) {
    return parse(Reference.read("the connection string", textOrReference));
  }

  /** Returns the value of a parameter. */
  public Optional<String> parameter(String name) {
    return Optional.ofNullable(parameters.get(name));
  }

  /**
   * Returns the value of a parameter that must be given.
   *
   * @throws KvException.Permanent if it was not
   */
  public String require(String name) {
    return parameter(name)
        .orElseThrow(
            () ->
                new KvException.Permanent(
                    scheme + ":// needs the parameter '" + name + "': add " + name + "=…"));
  }

  /**
   * Checks the parameters against those that a driver takes.
   *
   * @throws KvException.Permanent if one is not among them, suggesting the nearest name, or if one
   *     that must be given is missing
   */
  public void requireKnown(List<Parameter> known) {
    Map<String, Parameter> byName = new TreeMap<>();
    known.forEach(parameter -> byName.put(parameter.name(), parameter));
    for (String name : parameters.keySet()) {
      if (!byName.containsKey(name)) {
        throw new KvException.Permanent(
            scheme
                + ":// takes no parameter '"
                + name
                + "'"
                + Nearest.to(name, byName.keySet())
                    .map(near -> ", did you mean '" + near + "'?")
                    .orElse(":")
                + (byName.isEmpty() ? " it takes none" : " it takes ")
                + String.join(", ", byName.keySet()));
      }
    }
    for (Parameter parameter : byName.values()) {
      if (parameter.defaultValue() == null) {
        require(parameter.name());
      }
    }
  }

  /**
   * Returns the password as it is now, read anew where it is given by reference. A driver asks at
   * each connect and keeps no copy.
   *
   * @throws KvException.Permanent if the reference leads nowhere
   */
  public Optional<String> currentPassword() {
    return password == null
        ? Optional.empty()
        : Optional.of(Reference.read("the password of " + scheme + "://", password));
  }

  /**
   * Returns the value of a parameter that holds a secret, read anew where it is given by reference.
   *
   * @throws KvException.Permanent if the reference leads nowhere
   */
  public Optional<String> secret(String name) {
    return parameter(name)
        .map(given -> Reference.read("parameter '" + name + "' of " + scheme + "://", given));
  }

  /**
   * Returns the connection string that a parameter holds, whole or by reference.
   *
   * @throws KvException.Permanent if the parameter is missing, the reference leads nowhere or the
   *     string is wrong
   */
  public ConnectionString nested(String name) {
    String text = Reference.read("parameter '" + name + "' of " + scheme + "://", require(name));
    try {
      return parse(text);
    } catch (KvException.Permanent e) {
      throw new KvException.Permanent(
          "parameter '" + name + "' of " + scheme + "://: " + e.getMessage(), e);
    }
  }

  /** Returns the form that {@link #parse} reads, secrets included: never to be shown. */
  public String print() {
    StringBuilder text = new StringBuilder();
    printAddress(text, password == null ? null : PercentCode.encode(password, "@?"));
    char separator = '?';
    for (Map.Entry<String, String> parameter : parameters.entrySet()) {
      text.append(separator).append(parameter.getKey()).append('=');
      text.append(PercentCode.encode(parameter.getValue(), "&"));
      separator = '&';
    }
    return text.toString();
  }

  /** Returns the printed form with {@code ***} for every secret; references are shown. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    printAddress(text, password == null ? null : hidden(password));
    char separator = '?';
    for (Map.Entry<String, String> parameter : parameters.entrySet()) {
      text.append(separator).append(parameter.getKey()).append('=');
      text.append(PercentCode.encode(shown(parameter.getKey(), parameter.getValue()), "&"));
      separator = '&';
    }
    return text.toString();
  }

  private void printAddress(StringBuilder text, @Nullable String shownPassword) {
    text.append(scheme).append("://");
    if (user != null) {
      text.append(PercentCode.encode(user, ":@?"));
      if (shownPassword != null) {
        text.append(':').append(shownPassword);
      }
      text.append('@');
    }
    StringJoiner joined = new StringJoiner(",");
    hosts.forEach(host -> joined.add(host.toString()));
    text.append(joined);
    if (!path.isEmpty()) {
      text.append(hosts.isEmpty() ? "" : "/").append(PercentCode.encode(path, "@?"));
    }
  }

  private static String shown(String name, String value) {
    if (Reference.isReference(value)) {
      return value;
    }
    if (SECRET_NAME.matcher(name).matches()) {
      return HIDDEN;
    }
    if (!PercentCode.mayHoldAddress(value)) {
      return value;
    }
    try {
      return parse(value).toString();
    } catch (KvException.Permanent e) {
      return HIDDEN;
    }
  }

  private static String hidden(String secret) {
    return Reference.isReference(secret) ? PercentCode.encode(secret, "@?") : HIDDEN;
  }

  /**
   * A parameter that a connection string of some scheme takes.
   *
   * @param name the name as it is written
   * @param defaultValue the value if the parameter is absent; empty for none; null if it is
   *     required
   * @param meaning what it does, with its unit and range
   */
  public record Parameter(String name, @Nullable String defaultValue, String meaning) {}
}
