package dev.kvshift.scylla;

import static dev.kvshift.scylla.TestStores.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.KvException;
import dev.kvshift.embedded.CassandraNode;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.VersionClock;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class AuthTest {
  private static final String WRONG = "not-the-password";

  @TempDir Path folder;

  @Test
  void open_passwords_areCheckedReadAnewAndNeverShown() throws Exception {
    try (CassandraNode node =
        CassandraNode.builder()
            .setting("authenticator", "PasswordAuthenticator")
            .setting("authorizer", "CassandraAuthorizer")
            .start()) {
      Path file = folder.resolve("password");
      Files.writeString(file, WRONG);
      Throwable plain = failure(node, WRONG);
      assertThat(plain).isInstanceOf(KvException.Permanent.class);
      assertThat(shown(plain)).doesNotContain(WRONG);
      Throwable referred = failure(node, "file:" + file);
      assertThat(referred).isInstanceOf(KvException.Permanent.class);
      assertThat(shown(referred)).doesNotContain(WRONG);

      Files.writeString(file, "cassandra\n");
      try (Store store = openOnceTheRoleIsThere(node, "file:" + file)) {
        assertThat(await(store.metadata().compareAndSet("box/a", null, Bytes.utf8("1")))).isTrue();
      }
    }
  }

  /** A fresh node makes its first role a moment after it answers. */
  private static Store openOnceTheRoleIsThere(CassandraNode node, String password) {
    long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
    while (true) {
      try {
        return open(node, password);
      } catch (KvException.Permanent e) {
        if (System.nanoTime() > end) {
          throw e;
        }
      }
    }
  }

  private static Throwable failure(CassandraNode node, String password) {
    return catchThrowable(() -> open(node, password).close());
  }

  private static Store open(CassandraNode node, String password) {
    ConnectionString string =
        ConnectionString.parse(
            "scylla://cassandra:"
                + password
                + "@"
                + node.address()
                + "/secured?localDatacenter="
                + node.datacenter()
                + "&create=if-missing&replication=1");
    return TestStores.open(string, VersionClock.ofProcess());
  }

  private static String shown(Throwable error) {
    StringWriter text = new StringWriter();
    error.printStackTrace(new PrintWriter(text));
    return text.toString();
  }
}
