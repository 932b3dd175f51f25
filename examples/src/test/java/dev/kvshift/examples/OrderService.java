package dev.kvshift.examples;

import com.google.protobuf.Message;
import dev.kvshift.KvStore;
import dev.kvshift.examples.OrderBook.OrderKey;
import dev.kvshift.examples.proto.Order;
import dev.kvshift.model.Stores;
import dev.kvshift.model.TypedEntry;
import java.nio.file.Path;
import java.time.Instant;

/** The service as a program, which prints its protobuf version and what each store returned. */
final class OrderService {
  private static final Instant NOON = Instant.parse("2026-11-20T12:00:00Z");

  private OrderService() {}

  /**
   * Places and reads an order in each store; the arguments are the customer and then connection
   * strings.
   */
  public static void main(String[] args) throws Exception {
    Path protobuf =
        Path.of(Message.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    System.out.println(protobuf.getFileName());
    for (int i = 1; i < args.length; i++) {
      try (KvStore store = Stores.connect(args[i])) {
        OrderBook book = new OrderBook(store);
        book.place(args[0], new OrderKey(NOON, "A-" + i), order(i));
        for (TypedEntry<OrderKey, Order> entry : book.newest(args[0], 10).entries()) {
          System.out.println(
              args[i].substring(0, args[i].indexOf("://"))
                  + " "
                  + entry.clustering().number()
                  + " "
                  + entry.value().getArticle()
                  + " "
                  + entry.value().getPieces());
        }
      }
    }
  }

  private static Order order(int pieces) {
    return Order.newBuilder().setArticle("tea").setPieces(pieces).build();
  }
}
