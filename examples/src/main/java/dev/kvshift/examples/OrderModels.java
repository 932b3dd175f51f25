package dev.kvshift.examples;

import dev.kvshift.model.Model;
import dev.kvshift.model.ModelCatalogue;
import java.util.List;

/** The service's models, for the migration runner, which finds them in the service's jar. */
public final class OrderModels implements ModelCatalogue {
  @Override
  public List<Model> models() {
    return List.of(OrderBook.ORDERS, LoyaltyPoints.POINTS);
  }
}
