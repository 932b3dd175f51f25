package dev.kvshift.api;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.StringJoiner;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The address of a database: {@code
 * SCHEME://[USER[:PASSWORD]@][HOST[:PORT],…][/PATH][?NAME=VALUE&…]}.
 *
 * <p>Immutable. {@link #toString()} hides every secret, also those of connection strings within a
 * parameter; {@link #print()} holds them all.
 *
 * <p>Percent-encoding, as UTF-8: in user and password {@code % : @ ?}, in the path {@code % @ ?},
 * in values {@code % &}; any other character may be encoded. A {@code +} is a plus. An IPv6 address
 * is in brackets. A password, and a connection string within a parameter, can be given by
 * reference: {@code env:NAME} names an environment variable, {@code file:PATH} a file of UTF-8
 * text, whose last line end is ignored. References are read at each use, so that the next connect
 * uses a rotated secret.
 */
public final class ConnectionString {
  /** The longest connection string, in characters. */
  public static final int MAX_CHARS = 65_536;

  static final int MAX_PORT = 65_535;

  private static final String HIDDEN = "***";
  private static final Pattern SECRET_NAME =
      Pattern.compile("(?i).*(password|secret|token|credential).*");

  private final String scheme;
  private final @Nullable String user;
  private final @Nullable String password;
  private final List<Host> hosts;
  private final String path;
  private final Map<String, String> parameters;

  private ConnectionString(
      String scheme,
      @Nullable String user,
      @Nullable String password,
      List<Host> hosts,
      String path,
      Map<String, String> parameters) {
    this.scheme = Objects.requireNonNull(scheme, "scheme");
    this.user = user;
    this.password = password;
    this.hosts = List.copyOf(hosts);
    this.path = path;
    this.parameters = Collections.unmodifiableMap(new LinkedHashMap<>(parameters));
    if (hosts.isEmpty() && !path.isEmpty() && !path.startsWith("/")) {
      throw new IllegalArgumentException("a path without hosts begins with a slash");
    }
  }

  /**
   * Returns the connection string of a scheme alone, to be completed by the {@code with} methods.
   */
  public static ConnectionString of(String scheme) {
    return new ConnectionString(scheme, null, null, List.of(), "", Map.of());
  }

  /**
   * Reads a connection string.
   *
   * @throws KvException.Permanent if the text is not of the form above; the message holds nothing
   *     that could be a secret
   */
  public static ConnectionString parse(String text) {
    return ConnectionStringParser.parse(text);
  }

  /**
   * Reads a connection string that is given whole or by reference.
   *
   * @throws KvException.Permanent if the reference cannot be read or the string is wrong
   */
  public static ConnectionString resolve(String textOrReference) {
    return parse(Reference.read("the connection string", textOrReference));
  }

  /**
   * Returns the same connection string with another user.
   *
   * @param newUser the user; null for none
   * @param newPassword the password or a reference to it; null for none
   * @throws IllegalArgumentException if there is a password without a user
   */
  public ConnectionString withUser(@Nullable String newUser, @Nullable String newPassword) {
    if (newPassword != null && newUser == null) {
      throw new IllegalArgumentException("a password belongs to a user");
    }
    return new ConnectionString(scheme, newUser, newPassword, hosts, path, parameters);
  }

  /**
   * Returns the same connection string with other hosts.
   *
   * @throws IllegalArgumentException if there are none and the path does not begin with a slash
   */
  public ConnectionString withHosts(List<Host> newHosts) {
    return new ConnectionString(scheme, user, password, newHosts, path, parameters);
  }

  /**
   * Returns the same connection string with another path.
   *
   * @throws IllegalArgumentException if there are no hosts and it does not begin with a slash
   */
  public ConnectionString withPath(String newPath) {
    return new ConnectionString(scheme, user, password, hosts, newPath, parameters);
  }

  /** Returns the same connection string with other parameters, in the order of the map. */
  public ConnectionString withParameters(Map<String, String> newParameters) {
    return new ConnectionString(scheme, user, password, hosts, path, newParameters);
  }

  /** Returns the scheme, which chooses the driver. */
  public String scheme() {
    return scheme;
  }

  /** Returns the user; null for none. */
  public @Nullable String user() {
    return user;
  }

  /**
   * Returns the password or the reference to it, as it was given; null for none. Drivers use {@link
   * #currentPassword()}.
   */
  public @Nullable String password() {
    return password;
  }

  /** Returns the hosts, in the order given; none for a store in the process. */
  public List<Host> hosts() {
    return hosts;
  }

  /** Returns the path, without its leading slash if there are hosts; or empty. */
  public String path() {
    return path;
  }

  /** Returns the parameters by name, in the order given. */
  public Map<String, String> parameters() {
    return parameters;
  }

  /** Returns the value of a parameter. */
  public Optional<String> parameter(String name) {
    return Optional.ofNullable(parameters.get(name));
  }

  /**
   * Returns the value of a required parameter.
   *
   * @throws KvException.Permanent if it is missing
   */
  public String require(String name) {
    return parameter(name)
        .orElseThrow(
            () ->
                new KvException.Permanent(
                    scheme + ":// needs the parameter '" + name + "': add " + name + "=…"));
  }

  /**
   * Checks the parameters against those of a driver.
   *
   * @throws KvException.Permanent if one is unknown, suggesting the nearest name, or a required one
   *     is missing
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
      if (parameter.isRequired()) {
        require(parameter.name());
      }
    }
  }

  /**
   * Returns the current password, read again if it is given by reference. A driver asks at each
   * connect and keeps no copy.
   *
   * @throws KvException.Permanent if the reference cannot be read
   */
  public Optional<String> currentPassword() {
    return password == null
        ? Optional.empty()
        : Optional.of(Reference.read("the password of " + scheme + "://", password));
  }

  /**
   * Returns the current value of a parameter that holds a secret, read again if it is given by
   * reference.
   *
   * @throws KvException.Permanent if the reference cannot be read
   */
  public Optional<String> secret(String name) {
    return parameter(name)
        .map(given -> Reference.read("parameter '" + name + "' of " + scheme + "://", given));
  }

  /**
   * Returns the connection string that a parameter holds, whole or by reference.
   *
   * @throws KvException.Permanent if the parameter is missing, the reference cannot be read or the
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

  /** Returns the form that {@link #parse} reads, secrets included: never log it. */
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

  @Override
  public boolean equals(Object other) {
    return other instanceof ConnectionString that
        && scheme.equals(that.scheme)
        && Objects.equals(user, that.user)
        && Objects.equals(password, that.password)
        && hosts.equals(that.hosts)
        && path.equals(that.path)
        && parameters.equals(that.parameters);
  }

  @Override
  public int hashCode() {
    return Objects.hash(scheme, user, password, hosts, path, parameters);
  }

  /** The address of a server. Immutable. */
  public static final class Host {
    private final String name;
    private final OptionalInt port;

    private Host(String name, OptionalInt port) {
      this.name = Objects.requireNonNull(name, "name");
      this.port = port;
    }

    /** Returns the address without a port. */
    public static Host of(String name) {
      return new Host(name, OptionalInt.empty());
    }

    /**
     * Returns the address with a port.
     *
     * @param name the host name or IP address
     * @param port 1 to 65535
     * @throws IllegalArgumentException if the port is out of that range
     */
    public static Host of(String name, int port) {
      if (port < 1 || port > MAX_PORT) {
        throw new IllegalArgumentException("port " + port + ": give 1 to " + MAX_PORT);
      }
      return new Host(name, OptionalInt.of(port));
    }

    /** Returns the host name or the IP address, without brackets. */
    public String name() {
      return name;
    }

    /** Returns the port; empty if none was given. */
    public OptionalInt port() {
      return port;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Host that && name.equals(that.name) && port.equals(that.port);
    }

    @Override
    public int hashCode() {
      return Objects.hash(name, port);
    }

    @Override
    public String toString() {
      String shown = name.indexOf(':') >= 0 ? "[" + name + "]" : name;
      return port.isPresent() ? shown + ":" + port.getAsInt() : shown;
    }
  }

  /** A parameter of a driver's connection strings. Immutable. */
  public static final class Parameter {
    private final String name;
    private final @Nullable String defaultValue;
    private final String meaning;

    private Parameter(String name, @Nullable String defaultValue, String meaning) {
      this.name = Objects.requireNonNull(name, "name");
      this.defaultValue = defaultValue;
      this.meaning = Objects.requireNonNull(meaning, "meaning");
    }

    /**
     * Returns a parameter that must be given.
     *
     * @param name the name as it is written
     * @param meaning what it does, with its unit and range
     */
    public static Parameter required(String name, String meaning) {
      return new Parameter(name, null, meaning);
    }

    /**
     * Returns a parameter that may be left out.
     *
     * @param name the name as it is written
     * @param defaultValue the value if it is left out; empty for none
     * @param meaning what it does, with its unit and range
     */
    public static Parameter optional(String name, String defaultValue, String meaning) {
      return new Parameter(name, Objects.requireNonNull(defaultValue), meaning);
    }

    /** Returns the name as it is written. */
    public String name() {
      return name;
    }

    /** Returns whether the parameter must be given. */
    public boolean isRequired() {
      return defaultValue == null;
    }

    /** Returns the value if the parameter is left out; empty for none; null if it is required. */
    public @Nullable String defaultValue() {
      return defaultValue;
    }

    /** Returns the parameter's purpose, with its unit and range. */
    public String meaning() {
      return meaning;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Parameter that
          && name.equals(that.name)
          && Objects.equals(defaultValue, that.defaultValue)
          && meaning.equals(that.meaning);
    }

    @Override
    public int hashCode() {
      return Objects.hash(name, defaultValue, meaning);
    }

    @Override
    public String toString() {
      return name;
    }
  }
}
