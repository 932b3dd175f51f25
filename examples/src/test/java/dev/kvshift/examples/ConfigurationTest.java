package dev.kvshift.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;

class ConfigurationTest {
  @Test
  void of_storeAndPort_listensOnLoopback() {
    assertThat(Configuration.of(Map.of("ORDERS_STORE", "memory://x", "ORDERS_PORT", "8080")))
        .isEqualTo(new Configuration("memory://x", "127.0.0.1", 8080));
  }

  @Test
  void of_aHost_listensThere() {
    assertThat(
            Configuration.of(
                Map.of("ORDERS_STORE", "memory://x", "ORDERS_PORT", "0", "ORDERS_HOST", "0.0.0.0")))
        .isEqualTo(new Configuration("memory://x", "0.0.0.0", 0));
  }

  @Test
  void of_missingOrWrongVariables_namesTheVariable() {
    assertThatThrownBy(() -> Configuration.of(Map.of("ORDERS_PORT", "1")))
        .hasMessage("the environment variable ORDERS_STORE is not set: set it");
    assertThatThrownBy(() -> Configuration.of(Map.of("ORDERS_STORE", "memory://x")))
        .hasMessage("the environment variable ORDERS_PORT is not set: set it");
    for (String port : new String[] {"http", "-1", "65536"}) {
      assertThatThrownBy(
              () -> Configuration.of(Map.of("ORDERS_STORE", "memory://x", "ORDERS_PORT", port)))
          .hasMessage("ORDERS_PORT is '" + port + "': give 0 to 65535");
    }
  }
}
