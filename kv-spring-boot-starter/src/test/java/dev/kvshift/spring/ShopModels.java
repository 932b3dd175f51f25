package dev.kvshift.spring;

import static dev.kvshift.model.Values.text;
import static dev.kvshift.model.key.Keys.firstBits;
import static dev.kvshift.model.key.Keys.instant;
import static dev.kvshift.model.key.Keys.string;

import dev.kvshift.model.Model;
import dev.kvshift.model.ModelCatalogue;
import dev.kvshift.model.PointModel;
import dev.kvshift.model.RangeModel;
import java.time.Instant;
import java.util.List;

/** The models of a company, of which the tests' service uses some. */
public final class ShopModels implements ModelCatalogue {
  static final RangeModel<String, Instant, String> ORDERS =
      Model.range("orders")
          .main(string())
          .clustering(instant())
          .shardBy(firstBits(40))
          .value(text());

  static final PointModel<String, String> SESSIONS =
      Model.point("sessions").key(string()).value(text());

  static final PointModel<String, String> OTHERS =
      Model.point("others").key(string()).value(text());

  @Override
  public List<Model> models() {
    return List.of(ORDERS, SESSIONS, OTHERS);
  }
}
