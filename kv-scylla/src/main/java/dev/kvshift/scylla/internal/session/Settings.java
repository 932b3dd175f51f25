package dev.kvshift.scylla.internal.session;

import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.ConnectionString.Parameter;
import dev.kvshift.api.KvException;
import dev.kvshift.scylla.internal.cql.ForeignTable;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The settings of a connection string, checked. Immutable. {@link #toString()} shows no secret.
 *
 * @param replication replicas per datacenter, for a keyspace that does not exist yet
 * @param table the table that the store opens though kvshift did not make it; null for none
 */
public record Settings(
    ConnectionString string,
    List<InetSocketAddress> contactPoints,
    String keyspace,
    String localDatacenter,
    @Nullable String localRack,
    String consistency,
    String serialConsistency,
    Duration timeout,
    boolean create,
    boolean keepsDeletes,
    Map<String, Integer> replication,
    int maxCellBytes,
    int maxValueBytes,
    int maxInFlight,
    int maxQueued,
    int connections,
    Duration heartbeat,
    @Nullable Duration speculativeReads,
    boolean compression,
    boolean tls,
    @Nullable Path trustStore,
    @Nullable Path keyStore,
    boolean metrics,
    @Nullable ForeignTable table) {

  static final int DEFAULT_PORT = 9042;
  static final int SMALLEST_CELL_BYTES = 1 << 10;
  static final int LARGEST_CELL_BYTES = 1_000_000;
  static final int LARGEST_VALUE_BYTES = 64 << 20;

  private static final Pattern KEYSPACE = Pattern.compile("[a-z][a-z0-9_]{0,47}");
  private static final Pattern DATACENTER = Pattern.compile("[A-Za-z0-9_.-]{1,64}");
  private static final Pattern DURATION = Pattern.compile("(\\d{1,9})(ms|s|m)");
  private static final Pattern TABLE =
      Pattern.compile("([A-Za-z][A-Za-z0-9_]{0,47})\\.([A-Za-z][A-Za-z0-9_]{0,47})");
  private static final Pattern COLUMN = Pattern.compile("[A-Za-z][A-Za-z0-9_]{0,63}");
  private static final int MAX_REPLICATION = 10;
  private static final String LZ4 = "net.jpountz.lz4.LZ4Factory";

  public static final List<Parameter> PARAMETERS =
      List.of(
          Parameter.required("localDatacenter", "datacenter whose nodes are used; required"),
          Parameter.optional(
              "localRack", "", "rack whose replicas are asked first; default: none is preferred"),
          Parameter.optional(
              "consistency",
              "LOCAL_QUORUM",
              "consistency of reads and writes: LOCAL_ONE, ONE, LOCAL_QUORUM, QUORUM or ALL"),
          Parameter.optional(
              "serialConsistency",
              "SERIAL",
              "consistency of metadata and locks: SERIAL, or LOCAL_SERIAL if all clients use one"
                  + " datacenter"),
          Parameter.optional("timeout", "10s", "how long to wait for an operation: 100ms to 10m"),
          Parameter.optional(
              "create",
              "never",
              "whether to create a missing keyspace or table: never or if-missing"),
          Parameter.optional(
              "deletes",
              "dropped",
              "dropped, or kept: the rows of deleted and expired entries stay readable for 90 days at least,"
                  + " for a migration between two such stores"),
          Parameter.optional(
              "replication",
              "3",
              "replicas in a keyspace that is created: 1 to 10 in localDatacenter, or DC:N,DC:N"),
          Parameter.optional(
              "maxCellBytes", "524288", "largest cell with its header, in bytes: 1024 to 1000000"),
          Parameter.optional(
              "maxValueBytes",
              "16777216",
              "largest value, in bytes; chunked above maxCellBytes: 1 to 67108864"),
          Parameter.optional(
              "maxInFlight", "1024", "largest number of requests in flight: 1 to 32768"),
          Parameter.optional(
              "maxQueued",
              "16384",
              "largest number of waiting requests; more are refused: 0 to 1000000"),
          Parameter.optional(
              "connections", "1", "connections per node, or per shard on ScyllaDB: 1 to 16"),
          Parameter.optional(
              "heartbeat",
              "2s",
              "silence of a connection after which it is checked, and given up as long after that:"
                  + " 1s to 5m"),
          Parameter.optional(
              "speculativeReads",
              "off",
              "delay after which a read without an answer is sent to a second node too: off, or 1ms"
                  + " to 10s"),
          Parameter.optional(
              "compression",
              "none",
              "compression of requests and answers: none, or lz4 with lz4-java on the class path"),
          Parameter.optional(
              "tls", "false", "whether to use TLS and check certificates: true or false"),
          Parameter.optional(
              "trustStore", "", "file of trusted certificates; default: those of the JDK"),
          Parameter.optional(
              "trustStorePassword",
              "",
              "password of the trust store: env:NAME, file:PATH or the text"),
          Parameter.optional(
              "keyStore",
              "",
              "file of this client's certificate and key; default: none is presented"),
          Parameter.optional(
              "keyStorePassword",
              "",
              "password of the key store and its key: env:NAME, file:PATH or the text"),
          Parameter.optional(
              "table",
              "",
              "KEYSPACE.NAME of a table that kvshift did not make, which the store opens as it is;"
                  + " default: tables of kvshift's own"),
          Parameter.optional("main", "", "with table: its partition key"),
          Parameter.optional(
              "clustering", "", "with table: its clustering column, for a range collection"),
          Parameter.optional("value", "", "with table: its column of values"),
          Parameter.optional(
              "metrics",
              "none",
              "metrics of the native driver: none, or micrometer for Micrometer's global"
                  + " registry"));

  private static final Set<String> CONSISTENCIES =
      Set.of("LOCAL_ONE", "ONE", "LOCAL_QUORUM", "QUORUM", "ALL");

  public static Settings of(ConnectionString string) {
    string.requireKnown(PARAMETERS);
    if (string.hosts().isEmpty()) {
      throw wrong("no host: give scylla://HOST:PORT/KEYSPACE");
    }
    if (!KEYSPACE.matcher(string.path()).matches()) {
      throw wrong(
          "keyspace '"
              + string.path()
              + "': give scylla://HOST:PORT/KEYSPACE, a letter a-z, then at most 47 of a-z, 0-9,"
              + " _");
    }
    String local = string.require("localDatacenter");
    requireDatacenter("localDatacenter", local);
    String rack = string.parameter("localRack").filter(given -> !given.isEmpty()).orElse(null);
    if (rack != null) {
      requireDatacenter("localRack", rack);
    }
    Path keyStore = string.parameter("keyStore").map(Path::of).orElse(null);
    boolean tls = choice(string, "tls", Set.of("true", "false")).equals("true");
    if (keyStore != null && !tls) {
      throw wrong("keyStore without tls=true: set it, or leave the key store out");
    }
    return new Settings(
        string,
        string.hosts().stream().map(Settings::address).toList(),
        string.path(),
        local,
        rack,
        choice(string, "consistency", CONSISTENCIES),
        choice(string, "serialConsistency", Set.of("SERIAL", "LOCAL_SERIAL")),
        duration(string, "timeout", Duration.ofMillis(100), Duration.ofMinutes(10)),
        choice(string, "create", Set.of("never", "if-missing")).equals("if-missing"),
        choice(string, "deletes", Set.of("dropped", "kept")).equals("kept"),
        replication(value(string, "replication"), local),
        number(string, "maxCellBytes", SMALLEST_CELL_BYTES, LARGEST_CELL_BYTES),
        number(string, "maxValueBytes", 1, LARGEST_VALUE_BYTES),
        number(string, "maxInFlight", 1, 32_768),
        number(string, "maxQueued", 0, 1_000_000),
        number(string, "connections", 1, 16),
        duration(string, "heartbeat", Duration.ofSeconds(1), Duration.ofMinutes(5)),
        value(string, "speculativeReads").equals("off")
            ? null
            : duration(string, "speculativeReads", Duration.ofMillis(1), Duration.ofSeconds(10)),
        compression(string),
        tls,
        string.parameter("trustStore").map(Path::of).orElse(null),
        keyStore,
        choice(string, "metrics", Set.of("none", "micrometer")).equals("micrometer"),
        table(string));
  }

  private static @Nullable ForeignTable table(ConnectionString string) {
    String given = value(string, "table");
    if (given.isEmpty()) {
      for (String name : List.of("main", "clustering", "value")) {
        if (!value(string, name).isEmpty()) {
          throw wrong(name + " without table=KEYSPACE.NAME: add it, or leave " + name + " out");
        }
      }
      return null;
    }
    Matcher form = TABLE.matcher(given);
    if (!form.matches()) {
      throw wrong("table=" + given + ": give KEYSPACE.NAME, of letters, digits and _");
    }
    if (form.group(1).equals(string.path())) {
      throw wrong(
          "table="
              + given
              + ": its keyspace is that of kvshift's own records, "
              + string.path()
              + ": give scylla://HOST/KEYSPACE another one, since nothing is created beside your"
              + " table");
    }
    String clustering = value(string, "clustering");
    return new ForeignTable(
        form.group(1),
        form.group(2),
        column(string, "main", given),
        clustering.isEmpty() ? null : column(string, "clustering", given),
        column(string, "value", given));
  }

  private static String column(ConnectionString string, String name, String table) {
    String given = value(string, name);
    if (given.indexOf(',') >= 0) {
      throw wrong(
          name
              + "="
              + given
              + ": several columns have no form as one key or value: give one column, or write a"
              + " driver of your own, see docs/sources.md");
    }
    if (!COLUMN.matcher(given).matches()) {
      throw wrong(
          "table="
              + table
              + (given.isEmpty() ? " without " + name : ", " + name + "=" + given)
              + ": give "
              + name
              + "=COLUMN, a column of that table");
    }
    return given;
  }

  @Override
  public String toString() {
    return string.toString();
  }

  private static String value(ConnectionString string, String name) {
    return string
        .parameter(name)
        .orElseGet(
            () ->
                PARAMETERS.stream()
                    .filter(parameter -> parameter.name().equals(name))
                    .findFirst()
                    .map(Parameter::defaultValue)
                    .orElseThrow());
  }

  private static InetSocketAddress address(ConnectionString.Host host) {
    return new InetSocketAddress(host.name(), host.port().orElse(DEFAULT_PORT));
  }

  private static String choice(ConnectionString string, String name, Set<String> choices) {
    String given = value(string, name);
    if (!choices.contains(given)) {
      throw wrong(
          name
              + "="
              + given
              + ": give one of "
              + choices.stream().sorted().collect(Collectors.joining(", ")));
    }
    return given;
  }

  private static boolean compression(ConnectionString string) {
    if (choice(string, "compression", Set.of("none", "lz4")).equals("none")) {
      return false;
    }
    try {
      Class.forName(LZ4, false, Settings.class.getClassLoader());
      return true;
    } catch (ClassNotFoundException e) {
      throw new KvException.Permanent(
          "scylla://: compression=lz4: add at.yawk.lz4:lz4-java or org.lz4:lz4-java to the class"
              + " path",
          e);
    }
  }

  private static int number(ConnectionString string, String name, int least, int most) {
    String given = value(string, name);
    try {
      int number = Integer.parseInt(given);
      if (number >= least && number <= most) {
        return number;
      }
    } catch (NumberFormatException e) {
      throw new KvException.Permanent(
          "scylla://: " + name + "=" + given + ": give " + least + " to " + most, e);
    }
    throw wrong(name + "=" + given + ": give " + least + " to " + most);
  }

  private static Duration duration(
      ConnectionString string, String name, Duration least, Duration most) {
    String given = value(string, name);
    Matcher form = DURATION.matcher(given);
    if (form.matches()) {
      long number = Long.parseLong(form.group(1));
      Duration duration =
          switch (form.group(2)) {
            case "ms" -> Duration.ofMillis(number);
            case "s" -> Duration.ofSeconds(number);
            default -> Duration.ofMinutes(number);
          };
      if (duration.compareTo(least) >= 0 && duration.compareTo(most) <= 0) {
        return duration;
      }
    }
    throw wrong(
        name
            + "="
            + given
            + ": give a number with ms, s or m, from "
            + least.toMillis()
            + "ms to "
            + (most.toMinutes() > 0 ? most.toMinutes() + "m" : most.toSeconds() + "s"));
  }

  private static Map<String, Integer> replication(String given, String local) {
    Map<String, Integer> copies = new TreeMap<>();
    for (String part : given.split(",", -1)) {
      int colon = part.lastIndexOf(':');
      String datacenter = colon < 0 ? local : part.substring(0, colon);
      requireDatacenter("replication", datacenter);
      int count;
      try {
        count = Integer.parseInt(part.substring(colon + 1));
      } catch (NumberFormatException e) {
        throw new KvException.Permanent(
            "scylla://: replication=" + given + ": give a number, or DC:N,DC:N", e);
      }
      if (count < 1 || count > MAX_REPLICATION) {
        throw wrong("replication=" + given + ": give 1 to " + MAX_REPLICATION + " copies");
      }
      if (copies.put(datacenter, count) != null) {
        throw wrong(
            "replication="
                + given
                + ": datacenter "
                + datacenter
                + " is listed twice: list it once");
      }
    }
    return copies;
  }

  private static void requireDatacenter(String name, String datacenter) {
    if (!DATACENTER.matcher(datacenter).matches()) {
      throw wrong(
          name
              + ": '"
              + datacenter
              + "' is not a datacenter of the servers: give the name that they report");
    }
  }

  private static KvException.Permanent wrong(String message) {
    return new KvException.Permanent("scylla://: " + message);
  }
}
