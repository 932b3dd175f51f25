package dev.kvshift.api;

import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/**
 * Which database answers: {@code SCHEME://[USER[:PASSWORD]@][HOST[:PORT],…][/PATH][?NAME=VALUE&…]}.
 *
 * <p>Values are percent-encoded where they hold one of {@code % & ? # + /} or a space; an IPv6
 * address stands in brackets. Immutable. Passwords are never part of {@link #toString()}.
 *
 * @param scheme chooses the driver
 * @param user the user, or null
 * @param password the password or a reference to it ({@code env:NAME}, {@code file:PATH}), or null
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
  }

  /**
   * Reads a connection string.
   *
   * @throws KvException.Permanent if it is not of the form above
   */
  public static ConnectionString parse(String text) {
    int colon = text.indexOf("://");
    if (colon < 1) {
      throw new KvException.Permanent(
          "a connection string begins with SCHEME://, such as memory://test or legacy://host:port");
    }
    String scheme = text.substring(0, colon);
    String rest = text.substring(colon + 3);
    Map<String, String> parameters = new LinkedHashMap<>();
    int question = rest.indexOf('?');
    if (question >= 0) {
      parseParameters(scheme, rest.substring(question + 1), parameters);
      rest = rest.substring(0, question);
    }
    String user = null;
    String password = null;
    int at = rest.indexOf('@');
    if (at >= 0) {
      String[] credentials = rest.substring(0, at).split(":", 2);
      user = decode(scheme, credentials[0]);
      password = credentials.length > 1 ? decode(scheme, credentials[1]) : null;
      rest = rest.substring(at + 1);
    }
    String path = "";
    int slash = rest.indexOf('/');
    if (slash >= 0) {
      path = decode(scheme, slash == 0 ? rest : rest.substring(slash + 1));
      rest = rest.substring(0, slash);
    }
    List<Host> hosts = new ArrayList<>();
    if (!rest.isEmpty()) {
      for (String host : rest.split(",", -1)) {
        hosts.add(parseHost(scheme, host));
      }
    }
    return new ConnectionString(scheme, user, password, hosts, path, parameters);
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

  /** Returns the form that {@link #parse} reads, secrets included: never to be shown. */
  public String print() {
    return print(password);
  }

  /** Returns the printed form with the password left out. */
  @Override
  public String toString() {
    return print(password == null ? null : "***");
  }

  private String print(@Nullable String shownPassword) {
    StringBuilder text = new StringBuilder(scheme).append("://");
    if (user != null) {
      text.append(encode(user));
      if (shownPassword != null) {
        text.append(':').append(shownPassword.equals("***") ? "***" : encode(shownPassword));
      }
      text.append('@');
    }
    StringJoiner joined = new StringJoiner(",");
    hosts.forEach(host -> joined.add(host.toString()));
    text.append(joined);
    if (!path.isEmpty()) {
      text.append(hosts.isEmpty() ? "" : "/").append(encode(path).replace("%2F", "/"));
    }
    char separator = '?';
    for (Map.Entry<String, String> parameter : parameters.entrySet()) {
      text.append(separator).append(parameter.getKey()).append('=');
      text.append(encode(parameter.getValue()));
      separator = '&';
    }
    return text.toString();
  }

  private static void parseParameters(String scheme, String text, Map<String, String> into) {
    if (text.isEmpty()) {
      return;
    }
    for (String pair : text.split("&", -1)) {
      int equals = pair.indexOf('=');
      if (equals < 1) {
        throw new KvException.Permanent(
            scheme + "://: a parameter is NAME=VALUE: mend '" + pair + "'");
      }
      String name = pair.substring(0, equals);
      if (into.put(name, decode(scheme, pair.substring(equals + 1))) != null) {
        throw new KvException.Permanent(
            scheme + "://: parameter '" + name + "' is given twice: leave one out");
      }
    }
  }

  private static Host parseHost(String scheme, String text) {
    int colon = text.lastIndexOf(':');
    String name = text;
    int port = 0;
    if (colon > text.lastIndexOf(']')) {
      name = text.substring(0, colon);
      try {
        port = Integer.parseInt(text.substring(colon + 1));
      } catch (NumberFormatException e) {
        throw new KvException.Permanent(
            scheme + "://: '" + text + "' has no number for a port: give HOST:PORT", e);
      }
      if (port < 1 || port > 65_535) {
        throw new KvException.Permanent(
            scheme + "://: port " + port + " of '" + name + "': give 1 to 65535");
      }
    }
    if (name.startsWith("[") && name.endsWith("]")) {
      name = name.substring(1, name.length() - 1);
    }
    if (name.isEmpty()) {
      throw new KvException.Permanent(scheme + "://: a host is empty: give HOST:PORT");
    }
    return new Host(name, port);
  }

  private static String decode(String scheme, String text) {
    try {
      return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      throw new KvException.Permanent(scheme + "://: wrong percent-encoding: write % as %25", e);
    }
  }

  private static String encode(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20").replace("%3A", ":");
  }
}
