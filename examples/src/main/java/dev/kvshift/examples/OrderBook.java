package dev.kvshift.examples;

import static dev.kvshift.model.Values.protobuf;
import static dev.kvshift.model.key.Keys.composite;
import static dev.kvshift.model.key.Keys.firstBits;
import static dev.kvshift.model.key.Keys.instant;
import static dev.kvshift.model.key.Keys.string;

import dev.kvshift.KvStore;
import dev.kvshift.api.PageLimit;
import dev.kvshift.examples.proto.Order;
import dev.kvshift.model.Model;
import dev.kvshift.model.RangeModel;
import dev.kvshift.model.TypedPage;
import dev.kvshift.model.TypedRange;
import dev.kvshift.model.key.KeyRange;
import java.time.Instant;

/** The orders of a shop's customers, newest first. Safe for use by many threads. */
public final class OrderBook {
  /**
   * What tells a customer's orders apart.
   *
   * @param placed when it was placed, which also orders them
   * @param number the order's number
   */
  public record OrderKey(Instant placed, String number) {}

  // <readme>
  static final RangeModel<String, OrderKey, Order> ORDERS =
      Model.range("orders")
          .main(string())
          .clustering(
              composite(instant(), string()).as(OrderKey::new, OrderKey::placed, OrderKey::number))
          .shardBy(firstBits(40)) // half a year of a customer's orders to a partition
          .value(protobuf(Order.parser()));

  private final TypedRange<String, OrderKey, Order> orders;

  public OrderBook(KvStore store) {
    orders = ORDERS.open(store);
  }

  public void place(String customer, OrderKey key, Order order) {
    orders.put(customer, key, order);
  }

  public TypedPage<OrderKey, Order> newest(String customer, int entries) {
    return orders.getRange(
        customer, KeyRange.<OrderKey>all().backward(), PageLimit.entries(entries));
  }
  // </readme>
}
