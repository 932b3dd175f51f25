package dev.kvshift.scylla.internal.session;

import static dev.kvshift.testkit.fixture.TestCopy.COPY;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datastax.oss.driver.api.core.config.TypedDriverOption;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.scylla.ScyllaProvider;
import dev.kvshift.scylla.TestServer;
import dev.kvshift.scylla.TestStores;
import dev.kvshift.scylla.internal.cql.ForeignTable;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreProvider;
import dev.kvshift.spi.VersionClock;
import java.time.Duration;
import java.util.List;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class SettingsTest {
  private static Settings of(String text) {
    return Settings.of(ConnectionString.parse(text));
  }

  @Test
  void of_onlyWhatIsNeeded_hasTheDefaults() {
    Settings settings = of("scylla://one,two:9043/shop?localDatacenter=dc1");
    assertThat(settings.contactPoints()).extracting("port").containsExactly(9042, 9043);
    assertThat(settings.keyspace()).isEqualTo("shop");
    assertThat(settings.consistency()).isEqualTo("LOCAL_QUORUM");
    assertThat(settings.serialConsistency()).isEqualTo("SERIAL");
    assertThat(settings.timeout()).isEqualTo(Duration.ofSeconds(10));
    assertThat(settings.create()).isFalse();
    assertThat(settings.replication()).containsExactly(java.util.Map.entry("dc1", 3));
    assertThat(settings.maxCellBytes()).isEqualTo(512 * 1024);
    assertThat(settings.tls()).isFalse();
    assertThat(settings.keyStore()).isNull();
    assertThat(settings.localRack()).isNull();
    assertThat(settings.heartbeat()).isEqualTo(Duration.ofSeconds(2));
    assertThat(settings.speculativeReads()).isNull();
    assertThat(settings.compression()).isFalse();
  }

  @Test
  void of_everyParameter_isRead() {
    Settings settings =
        of(
            "scylla://u:secret@h/shop?localDatacenter=dc1&consistency=QUORUM&timeout=250ms"
                + "&serialConsistency=LOCAL_SERIAL&create=if-missing&replication=dc1:2,dc2:1"
                + "&maxCellBytes=4096&maxInFlight=7&maxQueued=0&connections=2&tls=true");
    assertThat(settings.timeout()).isEqualTo(Duration.ofMillis(250));
    assertThat(settings.replication())
        .containsExactly(java.util.Map.entry("dc1", 2), java.util.Map.entry("dc2", 1));
    assertThat(settings.create()).isTrue();
    assertThat(settings.maxInFlight()).isEqualTo(7);
    assertThat(settings.maxQueued()).isZero();
    assertThat(settings.toString()).doesNotContain("secret");
  }

  @Test
  void of_wrongValues_saysWhatToGive() {
    for (String wrong :
        List.of(
            "scylla:///shop?localDatacenter=dc1",
            "scylla://h/?localDatacenter=dc1",
            "scylla://h/Shop?localDatacenter=dc1",
            "scylla://h/shop",
            "scylla://h/shop?localDatacenter=d'c",
            "scylla://h/shop?localDatacenter=dc1&consistency=ANY",
            "scylla://h/shop?localDatacenter=dc1&timeout=10",
            "scylla://h/shop?localDatacenter=dc1&timeout=1ms",
            "scylla://h/shop?localDatacenter=dc1&create=yes",
            "scylla://h/shop?localDatacenter=dc1&replication=0",
            "scylla://h/shop?localDatacenter=dc1&replication=dc1:x",
            "scylla://h/shop?localDatacenter=dc1&maxCellBytes=100",
            "scylla://h/shop?localDatacenter=dc1&localRack=r'k",
            "scylla://h/shop?localDatacenter=dc1&heartbeat=500ms",
            "scylla://h/shop?localDatacenter=dc1&speculativeReads=on",
            "scylla://h/shop?localDatacenter=dc1&speculativeReads=11s",
            "scylla://h/shop?localDatacenter=dc1&compression=snappy",
            "scylla://h/shop?localDatacenter=dc1&keyStore=own.p12",
            "scylla://h/shop?localDatacenter=dc1&unknown=1")) {
      assertThatThrownBy(() -> of(wrong))
          .as(wrong)
          .isInstanceOf(KvException.Permanent.class)
          .hasMessageStartingWith("scylla://");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "main=k | main without table=KEYSPACE.NAME: add it, or leave main out",
        "table=orders&main=k&value=v | table=orders: give KEYSPACE.NAME, of letters, digits and _",
        "table=old.orders&value=v | table=old.orders without main: give main=COLUMN, a column of"
            + " that table",
        "table=old.orders&main=k | table=old.orders without value: give value=COLUMN, a column of"
            + " that table",
        "table=old.orders&main=k;&value=v | table=old.orders, main=k;: give main=COLUMN, a column of"
            + " that table",
        "table=old.orders&main=k,l&value=v | main=k,l: several columns have no form as one key or"
            + " value: give one column, or write a driver of your own, see docs/sources.md",
        "table=shop.orders&main=k&value=v | table=shop.orders: its keyspace is that of kvshift's own"
            + " records, shop: give scylla://HOST/KEYSPACE another one, since nothing is created"
            + " beside your table"
      })
  void of_wrongTable_saysWhatToGive(String parameters, String message) {
    assertThatThrownBy(() -> of("scylla://u:secret@h/shop?localDatacenter=dc1&" + parameters))
        .isInstanceOf(KvException.Permanent.class)
        .hasMessage("scylla://: " + message);
  }

  @Test
  void of_table_isRead() {
    Settings settings =
        of("scylla://h/shop?localDatacenter=dc1&table=Old.orders&main=k&clustering=c&value=v");
    assertThat(settings.table()).isEqualTo(new ForeignTable("Old", "orders", "k", "c", "v"));
    assertThat(
            Sessions.options(settings).get(TypedDriverOption.METADATA_SCHEMA_REFRESHED_KEYSPACES))
        .containsExactly("shop", "Old");
  }

  @Test
  void open_wrongDatacenter_namesThoseThereAre() {
    String datacenter = TestServer.shared().datacenter();
    String text =
        TestStores.string(TestStores.newKeyspace(), "")
            .print()
            .replace("localDatacenter=" + datacenter, "localDatacenter=elsewhere");
    assertThatThrownBy(
            () -> TestStores.open(ConnectionString.parse(text), VersionClock.ofProcess()))
        .isInstanceOf(KvException.Permanent.class)
        .hasMessageContaining(datacenter);
  }

  @Test
  void open_nobodyThere_isTransient() {
    ConnectionString nobody =
        ConnectionString.parse("scylla://127.0.0.1:1/shop?localDatacenter=dc1");
    assertThatThrownBy(() -> TestStores.open(nobody, VersionClock.ofProcess()))
        .isInstanceOf(KvException.Transient.class);
  }

  @Test
  void open_createNever_saysWhatToRun() {
    String text =
        TestStores.string(TestStores.newKeyspace(), "").print().replace("&create=if-missing", "");
    assertThatThrownBy(
            () -> TestStores.open(ConnectionString.parse(text), VersionClock.ofProcess()))
        .isInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("CREATE KEYSPACE");
  }

  @Test
  void openCollection_createNever_claimsNothingWithoutItsTable() {
    String keyspace = TestStores.newKeyspace();
    TestStores.open(keyspace).close();
    ConnectionString never =
        ConnectionString.parse(
            TestStores.string(keyspace, "").print().replace("&create=if-missing", ""));
    try (Store store = TestStores.open(never, VersionClock.ofProcess())) {
      assertThatThrownBy(() -> TestStores.await(store.open("points", Layout.point(), Claim.ACTIVE)))
          .isInstanceOf(KvException.Permanent.class)
          .hasMessageContaining("CREATE TABLE IF NOT EXISTS");
      assertThat(TestStores.await(CollectionRecord.read(store.metadata(), "points"))).isNull();
      try (Store creating = TestStores.open(keyspace)) {
        TestStores.await(creating.open("points", Layout.point(), Claim.importing(COPY)));
      }
      assertThat(TestStores.await(store.open("points", Layout.point(), Claim.NONE)).name())
          .isEqualTo("points");
    }
  }

  @Test
  void serviceLoader_scheme_findsTheDriver() {
    assertThat(ServiceLoader.load(StoreProvider.class))
        .anySatisfy(
            provider -> {
              assertThat(provider.scheme()).isEqualTo("scylla");
              assertThat(provider).isInstanceOf(ScyllaProvider.class);
            });
  }
}
