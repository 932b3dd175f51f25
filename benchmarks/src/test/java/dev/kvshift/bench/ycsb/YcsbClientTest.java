package dev.kvshift.bench.ycsb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.Vector;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import site.ycsb.ByteIterator;
import site.ycsb.DB;
import site.ycsb.DBException;
import site.ycsb.Status;
import site.ycsb.StringByteIterator;
import site.ycsb.measurements.Measurements;
import site.ycsb.workloads.CoreWorkload;

@SuppressWarnings({"JdkObsolete", "NonApiType"}) // YCSB's signatures
final class YcsbClientTest {
  private static final int RECORDS = 200;
  private static final int OPERATIONS = 500;

  @ParameterizedTest
  @CsvSource({
    "A, point, readproportion=0.5;updateproportion=0.5;requestdistribution=zipfian",
    "B, point, readproportion=0.95;updateproportion=0.05;requestdistribution=zipfian",
    "C, point, readproportion=1;updateproportion=0;requestdistribution=zipfian",
    "D, point, readproportion=0.95;updateproportion=0;insertproportion=0.05;requestdistribution=latest",
    "E, range, readproportion=0;updateproportion=0;scanproportion=0.95;insertproportion=0.05;requestdistribution=zipfian",
    "F, point, readproportion=0.5;updateproportion=0;readmodifywriteproportion=0.5;requestdistribution=zipfian"
  })
  void workload_everyOperation_succeeds(String name, String shape, String given) throws Exception {
    Properties properties = properties(name, shape);
    for (String property : given.split(";", -1)) {
      int equals = property.indexOf('=');
      properties.setProperty(property.substring(0, equals), property.substring(equals + 1));
    }
    Measurements.setProperties(properties);
    CoreWorkload workload = new CoreWorkload();
    workload.init(properties);
    YcsbClient client = client(properties);
    try {
      Counted counted = new Counted(client);
      for (int i = 0; i < RECORDS; i++) {
        assertThat(workload.doInsert(counted, new Object())).isTrue();
      }
      for (int i = 0; i < OPERATIONS; i++) {
        assertThat(workload.doTransaction(counted, new Object())).isTrue();
      }
      assertThat(counted.statuses).containsOnlyKeys(Status.OK);
      assertThat(counted.statuses.get(Status.OK)).isGreaterThanOrEqualTo(RECORDS + OPERATIONS);
    } finally {
      client.cleanup();
    }
  }

  @Test
  void update_ofSomeFields_keepsTheOthers() throws Exception {
    YcsbClient client = client(properties("update", "point"));
    try {
      assertThat(client.insert("usertable", "user1", record("field0", "a", "field1", "b")))
          .isEqualTo(Status.OK);
      assertThat(client.update("usertable", "user1", record("field1", "c"))).isEqualTo(Status.OK);
      assertThat(client.update("usertable", "user2", record("field1", "c")))
          .isEqualTo(Status.NOT_FOUND);

      Map<String, ByteIterator> found = new HashMap<>();
      assertThat(client.read("usertable", "user1", null, found)).isEqualTo(Status.OK);
      assertThat(StringByteIterator.getStringMap(found))
          .containsOnly(Map.entry("field0", "a"), Map.entry("field1", "c"));
      assertThat(client.delete("usertable", "user1")).isEqualTo(Status.OK);
      assertThat(client.read("usertable", "user1", null, found)).isEqualTo(Status.NOT_FOUND);
      assertThat(client.scan("usertable", "user1", 1, null, new Vector<>()))
          .isEqualTo(Status.NOT_IMPLEMENTED);
    } finally {
      client.cleanup();
    }
  }

  @Test
  void scan_fromAKey_findsTheNextOnesInOrder() throws Exception {
    YcsbClient client = client(properties("scan", "range"));
    try {
      for (int i = 1; i <= 9; i++) {
        client.insert("usertable", "user" + i, record("field0", "v" + i));
      }
      Vector<HashMap<String, ByteIterator>> found = new Vector<>();
      assertThat(client.scan("usertable", "user4", 3, Set.of("field0"), found))
          .isEqualTo(Status.OK);
      assertThat(found)
          .extracting(one -> StringByteIterator.getStringMap(one).get("field0"))
          .containsExactly("v4", "v5", "v6");
    } finally {
      client.cleanup();
    }
  }

  @Test
  void init_withoutAStoreOrWithAWrongShape_saysWhatToGive() {
    assertThatThrownBy(() -> client(new Properties()))
        .isInstanceOf(DBException.class)
        .hasMessage("no store: give -p kvshift.store=scylla://…");
    assertThatThrownBy(() -> client(properties("wrong", "tree")))
        .isInstanceOf(DBException.class)
        .hasMessage("kvshift.shape=tree: give point or range");
  }

  private static Properties properties(String name, String shape) {
    Properties properties = new Properties();
    properties.setProperty(YcsbClient.STORE, "memory://ycsb-" + name);
    properties.setProperty(YcsbClient.SHAPE, shape);
    properties.setProperty("recordcount", "" + RECORDS);
    properties.setProperty("operationcount", "" + OPERATIONS);
    return properties;
  }

  private static YcsbClient client(Properties properties) throws DBException {
    YcsbClient client = new YcsbClient();
    client.setProperties(properties);
    client.init();
    return client;
  }

  private static Map<String, ByteIterator> record(String... namesAndContents) {
    Map<String, String> fields = new HashMap<>();
    for (int i = 0; i < namesAndContents.length; i += 2) {
      fields.put(namesAndContents[i], namesAndContents[i + 1]);
    }
    return StringByteIterator.getByteIteratorMap(fields);
  }

  /** Counts what the client returns: YCSB's workload ignores it. */
  private static final class Counted extends DB {
    private final DB client;
    private final Map<Status, Integer> statuses = new HashMap<>();

    Counted(DB client) {
      this.client = client;
    }

    private Status count(Status status) {
      statuses.merge(status, 1, Integer::sum);
      return status;
    }

    @Override
    public Status read(
        String table, String key, Set<String> fields, Map<String, ByteIterator> result) {
      return count(client.read(table, key, fields, result));
    }

    @Override
    public Status scan(
        String table,
        String startkey,
        int recordcount,
        Set<String> fields,
        Vector<HashMap<String, ByteIterator>> result) {
      return count(client.scan(table, startkey, recordcount, fields, result));
    }

    @Override
    public Status update(String table, String key, Map<String, ByteIterator> values) {
      return count(client.update(table, key, values));
    }

    @Override
    public Status insert(String table, String key, Map<String, ByteIterator> values) {
      return count(client.insert(table, key, values));
    }

    @Override
    public Status delete(String table, String key) {
      return count(client.delete(table, key));
    }
  }
}
