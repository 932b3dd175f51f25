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
import java.util.Optional;

/** The orders of a shop's customers, newest first. Safe for use by many threads. */
public final class OrderBook {
  /**
   * The key of an order within its customer's orders, which are sorted by it.
   *
   * @param placed when the order was placed
   * @param number the order's number, which distinguishes orders placed at the same time
   */
  public record OrderKey(Instant placed, String number) {}

  static final RangeModel<String, OrderKey, Order> ORDERS =
      Model.range("orders")
          .main(string())
          .clustering(
              composite(instant(), string()).as(OrderKey::new, OrderKey::placed, OrderKey::number))
          .shardBy(firstBits(40)) // a partition holds half a year of a customer's orders
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

  /** Returns an order; empty if it was never placed, or was cancelled. */
  public Optional<Order> find(String customer, OrderKey key) {
    return orders.get(customer, key);
  }

  /** Deletes an order. Does nothing if it does not exist. */
  public void cancel(String customer, OrderKey key) {
    orders.delete(customer, key);
  }
}
