package dev.kvshift.api;

import dev.kvshift.api.ConnectionString.Host;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * A parser of connection strings. A piece of the text is quoted in an error only if it has the form
 * of a host or of a parameter's name, so that a misplaced secret is not.
 */
final class ConnectionStringParser {
  private static final Pattern SCHEME = Pattern.compile("[a-z][a-z0-9+.-]{0,31}");
  private static final Pattern NAME = Pattern.compile("[A-Za-z][A-Za-z0-9_.-]{0,63}");
  private static final Pattern HOST = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}");
  private static final Pattern IPV6 =
      Pattern.compile("[0-9A-Fa-f:.]{2,45}(%[A-Za-z0-9_.-]{1,32})?");
  private static final int MAX_PORT = ConnectionString.MAX_PORT;

  private final String scheme;

  private ConnectionStringParser(String scheme) {
    this.scheme = scheme;
  }

  static ConnectionString parse(String text) {
    int colon = text.indexOf("://");
    if (text.length() > ConnectionString.MAX_CHARS
        || colon < 1
        || !SCHEME.matcher(text.substring(0, colon)).matches()) {
      throw new KvException.Permanent(
          "a connection string begins with SCHEME://, such as memory://test or"
              + " legacy://host:port, and has at most "
              + ConnectionString.MAX_CHARS
              + " characters");
    }
    return new ConnectionStringParser(text.substring(0, colon))
        .parseRest(text.substring(colon + 3));
  }

  private ConnectionString parseRest(String text) {
    String rest = text;
    Map<String, String> parameters = Map.of();
    int question = rest.indexOf('?');
    if (question >= 0) {
      parameters = parameters(rest.substring(question + 1));
      rest = rest.substring(0, question);
    }
    String user = null;
    String password = null;
    int at = rest.indexOf('@');
    if (at >= 0) {
      String credentials = rest.substring(0, at);
      int colon = credentials.indexOf(':');
      user = decode(colon < 0 ? credentials : credentials.substring(0, colon));
      password = colon < 0 ? null : decode(credentials.substring(colon + 1));
      rest = rest.substring(at + 1);
      if (rest.indexOf('@') >= 0) {
        throw wrong("an '@' within the user, the password or the path is written %40");
      }
    }
    String path = "";
    int slash = rest.indexOf('/');
    if (slash >= 0) {
      path = decode(slash == 0 ? rest : rest.substring(slash + 1));
      rest = rest.substring(0, slash);
    }
    List<Host> hosts = new ArrayList<>();
    if (!rest.isEmpty()) {
      for (String host : rest.split(",", -1)) {
        hosts.add(host(host));
      }
    }
    return ConnectionString.of(scheme)
        .withUser(user, password)
        .withHosts(hosts)
        .withPath(path)
        .withParameters(parameters);
  }

  private Map<String, String> parameters(String text) {
    Map<String, String> parameters = new LinkedHashMap<>();
    if (text.isEmpty()) {
      return parameters;
    }
    for (String pair : text.split("&", -1)) {
      int equals = pair.indexOf('=');
      if (equals < 1 || !NAME.matcher(pair.substring(0, equals)).matches()) {
        throw wrong(
            "parameter "
                + (parameters.size() + 1)
                + " is not NAME=VALUE: fix it, and write '?' in a password %3F and '&' in a value"
                + " %26");
      }
      String name = pair.substring(0, equals);
      if (parameters.put(name, decode(pair.substring(equals + 1))) != null) {
        throw wrong("parameter '" + name + "' is given twice: leave one out");
      }
    }
    return parameters;
  }

  private Host host(String text) {
    if (text.startsWith("[")) {
      int end = text.indexOf(']');
      String name = end < 0 ? "" : text.substring(1, end);
      if (!IPV6.matcher(name).matches() || name.indexOf(':') < 0) {
        throw wrong("the text in brackets is not an IPv6 address: give [ADDRESS]:PORT");
      }
      String after = text.substring(end + 1);
      if (!after.isEmpty() && !after.startsWith(":")) {
        throw wrong("after ] a port is given: write [" + name + "]:PORT");
      }
      return after.isEmpty() ? Host.of(name) : Host.of(name, port(name, after.substring(1)));
    }
    int colon = text.indexOf(':');
    if (colon >= 0 && text.indexOf(':', colon + 1) >= 0) {
      throw wrong("a host has several colons: write an IPv6 address as [ADDRESS]:PORT");
    }
    String name = colon < 0 ? text : text.substring(0, colon);
    if (!HOST.matcher(name).matches()) {
      throw wrong("a host is empty or not a host name: give HOST:PORT,HOST:PORT");
    }
    return colon < 0 ? Host.of(name) : Host.of(name, port(name, text.substring(colon + 1)));
  }

  private int port(String host, String text) {
    int port = 0;
    for (int i = 0; i < text.length() && port <= MAX_PORT; i++) {
      int digit = text.charAt(i) - '0';
      if (digit < 0 || digit > 9) {
        throw wrong("the port of host '" + host + "' is not a number: give HOST:PORT");
      }
      port = port * 10 + digit;
    }
    if (port < 1 || port > MAX_PORT) {
      throw wrong("the port of host '" + host + "' is out of range: give 1 to " + MAX_PORT);
    }
    return port;
  }

  private String decode(String text) {
    String decoded = PercentCode.decode(text);
    if (decoded == null) {
      throw wrong("wrong percent-encoding: write % as %25");
    }
    return decoded;
  }

  private KvException.Permanent wrong(String what) {
    return new KvException.Permanent(scheme + "://: " + what);
  }
}
