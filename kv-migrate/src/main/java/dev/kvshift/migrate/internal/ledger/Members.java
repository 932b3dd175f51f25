package dev.kvshift.migrate.internal.ledger;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import dev.kvshift.api.Bytes;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The members of a JSON object, read and written by name, in their order. Reading a member that is
 * missing or of another type throws {@link IllegalArgumentException}. For one thread.
 */
public final class Members {
  private final JsonObject json;

  /** Creates an object without members. */
  public Members() {
    this(new JsonObject());
  }

  private Members(JsonObject json) {
    this.json = json;
  }

  /** Parses the text of a JSON object. */
  public static Members parse(String text) {
    try {
      return new Members(JsonParser.parseString(text).getAsJsonObject());
    } catch (JsonParseException | IllegalStateException e) {
      throw new IllegalArgumentException("not a JSON object", e);
    }
  }

  /** Adds a member. */
  public Members with(String name, String value) {
    json.addProperty(name, value);
    return this;
  }

  /** Adds a member. */
  public Members with(String name, long value) {
    json.addProperty(name, value);
    return this;
  }

  /** Adds a member, unless the number is not a finite one. */
  public Members with(String name, double value) {
    if (Double.isFinite(value)) {
      json.addProperty(name, value);
    }
    return this;
  }

  /** Adds a member that is a list of numbers, with null for those that are not finite. */
  public Members withNumbers(String name, double[] values) {
    JsonArray array = new JsonArray();
    for (double value : values) {
      array.add(Double.isFinite(value) ? value : null);
    }
    json.add(name, array);
    return this;
  }

  /** Adds a member that is a list of texts. */
  public Members withTexts(String name, List<String> values) {
    JsonArray array = new JsonArray();
    values.forEach(array::add);
    json.add(name, array);
    return this;
  }

  /** Adds a member that is an object. */
  public Members with(String name, Members value) {
    json.add(name, value.json);
    return this;
  }

  /** Adds a member that is an object, given as JSON text. */
  public Members withJson(String name, String text) {
    return with(name, parse(text));
  }

  /** Adds a member. */
  public Members with(String name, boolean value) {
    json.addProperty(name, value);
    return this;
  }

  Members with(String name, Instant value) {
    return with(name, value.toString());
  }

  Members with(String name, Bytes value) {
    return with(name, Base64.getEncoder().encodeToString(value.toByteArray()));
  }

  Members withMillis(String name, Duration value) {
    return with(name, value.toMillis());
  }

  Members withNumbers(String name, List<Long> values) {
    JsonArray array = new JsonArray();
    values.forEach(array::add);
    json.add(name, array);
    return this;
  }

  Members withLists(String name, List<List<Long>> lists) {
    JsonArray array = new JsonArray();
    for (List<Long> list : lists) {
      JsonArray numbers = new JsonArray();
      list.forEach(numbers::add);
      array.add(numbers);
    }
    json.add(name, array);
    return this;
  }

  /** Adds a member that is a list of objects. */
  public Members withObjects(String name, List<Members> values) {
    JsonArray array = new JsonArray();
    values.forEach(value -> array.add(value.json));
    json.add(name, array);
    return this;
  }

  Members withAll(Members more) {
    more.json.entrySet().forEach(member -> json.add(member.getKey(), member.getValue()));
    return this;
  }

  boolean has(String name) {
    return json.has(name);
  }

  String text(String name) {
    return read(name, JsonElement::getAsString);
  }

  long number(String name) {
    return read(name, JsonElement::getAsLong);
  }

  int count(String name) {
    return read(name, JsonElement::getAsInt);
  }

  boolean flag(String name) {
    return read(name, JsonElement::getAsBoolean);
  }

  Instant instant(String name) {
    return read(name, element -> Instant.parse(element.getAsString()));
  }

  Duration millis(String name) {
    return Duration.ofMillis(number(name));
  }

  Bytes bytes(String name) {
    return read(name, element -> Bytes.of(Base64.getDecoder().decode(element.getAsString())));
  }

  Members object(String name) {
    return read(name, element -> new Members(element.getAsJsonObject()));
  }

  List<Long> numbers(String name) {
    return list(name, JsonElement::getAsLong);
  }

  List<String> texts(String name) {
    return list(name, JsonElement::getAsString);
  }

  List<List<Long>> lists(String name) {
    return list(
        name,
        element -> element.getAsJsonArray().asList().stream().map(JsonElement::getAsLong).toList());
  }

  List<Members> objects(String name) {
    return list(name, element -> new Members(element.getAsJsonObject()));
  }

  /** Returns the members without the one of that name. */
  Members without(String name) {
    JsonObject rest = json.deepCopy();
    rest.remove(name);
    return new Members(rest);
  }

  private <T> List<T> list(String name, Reader<T> each) {
    return read(
        name,
        array -> {
          List<T> values = new ArrayList<>();
          for (JsonElement element : array.getAsJsonArray()) {
            values.add(each.read(element));
          }
          return values;
        });
  }

  private interface Reader<T> {
    T read(JsonElement element);
  }

  private <T> T read(String name, Reader<T> reader) {
    @Nullable JsonElement element = json.get(name);
    if (element == null) {
      throw new IllegalArgumentException("no member '" + name + "'");
    }
    try {
      return reader.read(element);
    } catch (RuntimeException e) {
      throw new IllegalArgumentException("member '" + name + "'", e);
    }
  }

  /** Returns the JSON text. */
  @Override
  public String toString() {
    return json.toString();
  }
}
