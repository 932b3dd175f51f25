package dev.kvshift.spring;

import dev.kvshift.api.PageLimit;
import dev.kvshift.model.TypedEntry;
import dev.kvshift.model.TypedRange;
import dev.kvshift.model.key.KeyRange;
import java.time.Instant;
import java.util.List;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PutMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;

/** Serves the orders of a customer, as a service on Spring Boot would. */
@RestController
class OrderController {
  private final TypedRange<String, Instant, String> orders;

  OrderController(@Qualifier("orders") TypedRange<String, Instant, String> orders) {
    this.orders = orders;
  }

  @PutMapping("/customers/{customer}/orders/{placed}")
  void put(
      @PathVariable("customer") String customer,
      @PathVariable("placed") Instant placed,
      @RequestBody String order) {
    orders.put(customer, placed, order);
  }

  @GetMapping("/customers/{customer}/orders")
  List<String> newest(@PathVariable("customer") String customer) {
    return orders
        .getRange(customer, KeyRange.<Instant>all().backward(), PageLimit.entries(20))
        .entries()
        .stream()
        .map(TypedEntry::value)
        .toList();
  }
}
