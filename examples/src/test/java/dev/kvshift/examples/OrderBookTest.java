package dev.kvshift.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.KvStore;
import dev.kvshift.examples.OrderBook.OrderKey;
import dev.kvshift.examples.proto.Order;
import dev.kvshift.model.Stores;
import dev.kvshift.model.TypedEntry;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class OrderBookTest {
  private static final Instant NOON = Instant.parse("2026-11-20T12:00:00Z");

  @Test
  void newest_ofACustomerWithOrders_returnsTheLatestFirst() {
    try (KvStore store = Stores.connect("memory://orders")) {
      OrderBook book = new OrderBook(store);
      for (int i = 0; i < 3; i++) {
        Order order = Order.newBuilder().setArticle("tea").setPieces(i).build();
        book.place("customer-17", new OrderKey(NOON.plusSeconds(i), "A-" + i), order);
      }

      assertThat(book.newest("customer-17", 2).entries())
          .extracting(TypedEntry::clustering)
          .containsExactly(
              new OrderKey(NOON.plusSeconds(2), "A-2"), new OrderKey(NOON.plusSeconds(1), "A-1"));
    }
  }
}
