package dev.kvshift.examples;

import com.google.gson.Gson;
import com.google.gson.JsonParseException;
import com.sun.net.httpserver.HttpExchange;
import dev.kvshift.KvStore;
import dev.kvshift.examples.OrderBook.OrderKey;
import dev.kvshift.examples.proto.Order;
import dev.kvshift.model.TypedEntry;
import java.io.IOException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The resources of the service. Safe for use by many threads. */
final class OrderApi {
  private static final int MAX_BODY_BYTES = 64 << 10;
  private static final int NEWEST = 20;
  private static final Answer NO_SUCH_RESOURCE =
      Answer.text(Answer.NOT_FOUND, "there is no such resource");

  private final OrderBook orders;
  private final LoyaltyPoints points;
  private final Gson gson = new Gson();

  private record OrderBody(@Nullable String article, int pieces) {
    static OrderBody of(Order order) {
      return new OrderBody(order.getArticle(), order.getPieces());
    }
  }

  private record PlacedOrder(String placed, String number, String article, int pieces) {
    static PlacedOrder of(TypedEntry<OrderKey, Order> entry) {
      OrderKey key = entry.clustering();
      Order order = entry.value();
      return new PlacedOrder(
          key.placed().toString(), key.number(), order.getArticle(), order.getPieces());
    }
  }

  private record PointsBody(long points) {}

  OrderApi(KvStore store) {
    orders = new OrderBook(store);
    points = new LoyaltyPoints(store);
  }

  /**
   * Answers a request for {@code /customers/…}.
   *
   * @throws dev.kvshift.api.KvException if the store fails
   */
  Answer answer(HttpExchange exchange) throws IOException {
    String[] path = exchange.getRequestURI().getRawPath().split("/", -1);
    for (int i = 0; i < path.length; i++) {
      path[i] = URLDecoder.decode(path[i].replace("+", "%2B"), StandardCharsets.UTF_8);
    }
    try {
      // The first part is empty, the second is "customers".
      if (path.length == 6 && path[3].equals("orders")) {
        return order(exchange, path[2], new OrderKey(Instant.parse(path[4]), path[5]));
      } else if (path.length == 4 && path[3].equals("orders")) {
        return exchange.getRequestMethod().equals("GET") ? newest(path[2]) : NO_SUCH_RESOURCE;
      } else if (path.length == 4 && path[3].equals("points")) {
        return points(exchange, path[2]);
      }
      return NO_SUCH_RESOURCE;
    } catch (DateTimeException | JsonParseException e) {
      return Answer.text(Answer.BAD_REQUEST, "the request cannot be parsed: " + e.getMessage());
    }
  }

  private Answer order(HttpExchange exchange, String customer, OrderKey key) throws IOException {
    return switch (exchange.getRequestMethod()) {
      case "GET" ->
          orders
              .find(customer, key)
              .map(order -> Answer.json(gson.toJson(OrderBody.of(order))))
              .orElse(NO_SUCH_RESOURCE);
      case "PUT" -> withBody(exchange, OrderBody.class, body -> place(customer, key, body));
      case "DELETE" -> {
        orders.cancel(customer, key);
        yield Answer.noContent();
      }
      default -> NO_SUCH_RESOURCE;
    };
  }

  private Answer place(String customer, OrderKey key, OrderBody body) {
    if (body.article() == null) {
      return Answer.text(Answer.BAD_REQUEST, "the order has no article");
    }
    orders.place(
        customer,
        key,
        Order.newBuilder().setArticle(body.article()).setPieces(body.pieces()).build());
    return Answer.noContent();
  }

  private Answer newest(String customer) {
    List<PlacedOrder> found = new ArrayList<>();
    orders.newest(customer, NEWEST).entries().forEach(entry -> found.add(PlacedOrder.of(entry)));
    return Answer.json(gson.toJson(found));
  }

  private Answer points(HttpExchange exchange, String customer) throws IOException {
    return switch (exchange.getRequestMethod()) {
      case "GET" -> Answer.json(gson.toJson(new PointsBody(points.balance(customer))));
      case "POST" ->
          withBody(
              exchange,
              PointsBody.class,
              body ->
                  Answer.json(gson.toJson(new PointsBody(points.add(customer, body.points())))));
      default -> NO_SUCH_RESOURCE;
    };
  }

  private <T> Answer withBody(HttpExchange exchange, Class<T> type, Function<T, Answer> use)
      throws IOException {
    byte[] bytes = exchange.getRequestBody().readNBytes(MAX_BODY_BYTES + 1);
    if (bytes.length > MAX_BODY_BYTES) {
      return Answer.text(Answer.BAD_REQUEST, "the body has more than " + MAX_BODY_BYTES + " bytes");
    }
    T body = gson.fromJson(new String(bytes, StandardCharsets.UTF_8), type);
    return body == null
        ? Answer.text(Answer.BAD_REQUEST, "the request has no body")
        : use.apply(body);
  }
}
