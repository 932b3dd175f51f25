package dev.kvshift.scylla.internal.schema;

import static dev.kvshift.scylla.TestStores.await;
import static dev.kvshift.testkit.fixture.TestCopy.COPY;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.cql.Row;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.scylla.CapturedLog;
import dev.kvshift.scylla.TestServer;
import dev.kvshift.scylla.TestStores;
import dev.kvshift.scylla.internal.session.Sessions;
import dev.kvshift.scylla.internal.session.Settings;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.ImportSettings;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import java.time.Duration;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Tables keep their tombstones during an import, on every way they can come to be. */
@Tag("own-server")
final class ImportTombstonesTest {
  private static final int LIVE_SECONDS = 864_000;
  private static final int IMPORT_SECONDS = 7_776_000;
  private static final Pattern PRINTED = Pattern.compile(".* or run: (.+);");

  private final String keyspace = TestStores.newKeyspace();
  private final ConnectionString creating = TestServer.node().string(keyspace, "");
  private final ConnectionString never =
      ConnectionString.parse(creating.print().replace("create=if-missing", "create=never"));

  @AfterEach
  void drop() {
    TestStores.drop(keyspace);
  }

  @Test
  void open_importWithoutCreate_printsTheMissingStatements() {
    open(creating).close();
    try (Store store = open(never);
        CqlSession session = Sessions.open(Settings.of(creating))) {
      int printed = 0;
      while (true) {
        try {
          await(store.open("files", Layout.point(), Claim.importing(COPY)));
          break;
        } catch (KvException.Permanent e) {
          Matcher statement = PRINTED.matcher(e.getMessage());
          assertThat(statement.matches()).as(e.getMessage()).isTrue();
          assertThat(statement.group(1)).startsWith("CREATE TABLE ");
          session.execute(statement.group(1));
          printed++;
        }
      }
      assertThat(printed).as("the table and that of large values").isEqualTo(2);
      assertThat(grace(session, "files_i1")).isEqualTo(IMPORT_SECONDS);
      assertThat(grace(session, "files_i1_chunks")).isEqualTo(IMPORT_SECONDS);
    }
  }

  @Test
  void limits_ofAnOpenStore_sayHowLongAnImportRemembersDeletes() {
    try (Store store = open(creating)) {
      assertThat(store.limits().tombstoneLifetime())
          .as("what the tables of an import are created with")
          .contains(Duration.ofSeconds(IMPORT_SECONDS));
    }
  }

  @Test
  void open_importWithoutTheGuard_isRefusedOrFixed() {
    try (Store store = open(creating);
        CqlSession session = Sessions.open(Settings.of(creating))) {
      StoreCollection files = await(store.open("files", Layout.point(), Claim.importing(COPY)));
      StoreKey key = StoreKey.of(Bytes.utf8("a"), Bytes.empty());
      await(files.write(key, Mutation.delete().withVersion(1L), call()));
      relax(session);
      try (Store other = open(never)) {
        assertThatThrownBy(() -> await(other.open("files", Layout.point(), Claim.importing(COPY))))
            .isInstanceOf(KvException.Permanent.class)
            .hasMessageEndingWith(
                "does not keep its tombstones during an import, so that deleted entries would come"
                    + " back: open with create=if-missing, or run: ALTER TABLE \""
                    + keyspace
                    + "\".files_i1 WITH gc_grace_seconds = 7776000;");
      }
      await(store.open("files", Layout.point(), Claim.importing(COPY)));
      assertThat(grace(session, "files_i1")).isEqualTo(IMPORT_SECONDS);
      assertThat(grace(session, "files_i1_chunks")).isEqualTo(IMPORT_SECONDS);
    }
  }

  private void relax(CqlSession session) {
    for (String table : new String[] {"files_i1", "files_i1_chunks"}) {
      session.execute(
          "ALTER TABLE " + keyspace + "." + table + " WITH gc_grace_seconds = " + LIVE_SECONDS);
    }
  }

  @Test
  void activate_importedCollection_saysHowToEndItsGuard() {
    try (Store store = open(creating);
        CqlSession session = Sessions.open(Settings.of(creating));
        CapturedLog log = new CapturedLog()) {
      await(store.open("files", Layout.point(), Claim.importing(COPY)));
      await(store.activate("files", COPY, 5));
      String said = String.join("\n", log.lines());
      for (String table : new String[] {"files_i1", "files_i1_chunks"}) {
        String alter =
            "ALTER TABLE \""
                + keyspace
                + "\"."
                + table
                + " WITH gc_grace_seconds = "
                + LIVE_SECONDS;
        assertThat(said).contains(alter + ";");
        session.execute(alter);
      }
      await(store.open("files", Layout.point(), Claim.ACTIVE));
      assertThat(grace(session, "files_i1")).isEqualTo(LIVE_SECONDS);
    }
  }

  @Test
  void endImport_importedCollection_restoresOrPrints() {
    try (Store store = open(creating);
        CqlSession session = Sessions.open(Settings.of(creating))) {
      await(store.open("files", Layout.point(), Claim.importing(COPY)));
      List<String> statements = List.of(alter("files_i1"), alter("files_i1_chunks"));

      try (Store other = open(never)) {
        ImportSettings left = await(other.endImport("files", 1, false));
        assertThat(left.left()).isEqualTo(statements);
        assertThat(left.restored()).isEmpty();
      }
      assertThat(await(store.endImport("files", 1, true)).restored()).isEqualTo(statements);
      assertThat(grace(session, "files_i1")).isEqualTo(IMPORT_SECONDS);

      assertThat(await(store.endImport("files", 1, false)).restored()).isEqualTo(statements);

      assertThat(grace(session, "files_i1")).isEqualTo(LIVE_SECONDS);
      assertThat(grace(session, "files_i1_chunks")).isEqualTo(LIVE_SECONDS);
      assertThat(await(store.endImport("files", 1, false))).isEqualTo(ImportSettings.NONE);
      assertThat(await(store.endImport("others", 1, false))).isEqualTo(ImportSettings.NONE);
    }
  }

  private String alter(String table) {
    return "ALTER TABLE \"" + keyspace + "\"." + table + " WITH gc_grace_seconds = " + LIVE_SECONDS;
  }

  private int grace(CqlSession session, String table) {
    Row row =
        session
            .execute(
                "SELECT gc_grace_seconds FROM system_schema.tables WHERE keyspace_name = '"
                    + keyspace
                    + "' AND table_name = '"
                    + table
                    + "'")
            .one();
    return row == null ? 0 : row.getInt(0);
  }

  private static Store open(ConnectionString string) {
    return TestStores.open(string, VersionClock.ofProcess());
  }

  private static Call call() {
    return Call.within(Duration.ofSeconds(10));
  }
}
