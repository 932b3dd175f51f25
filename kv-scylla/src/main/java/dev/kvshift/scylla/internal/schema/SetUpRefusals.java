package dev.kvshift.scylla.internal.schema;

import dev.kvshift.api.KvException;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;

/** Refusals of a schema change by ScyllaDB whose own text does not say what to do. */
final class SetUpRefusals {
  private record Advice(Pattern refusal, String next) {}

  private static final List<Advice> ADVICES =
      List.of(
          new Advice(
              Pattern.compile("enough (token-owning )?nodes|rack count", Pattern.CASE_INSENSITIVE),
              "the keyspace has more copies than its datacenter has nodes or racks, which tablets do"
                  + " not allow, and IF NOT EXISTS leaves it as it is: add nodes, or run ALTER"
                  + " KEYSPACE or DROP KEYSPACE and open with a lower replication"),
          new Advice(
              Pattern.compile("rack-valid", Pattern.CASE_INSENSITIVE),
              "the servers require as many copies as each datacenter has racks, or one: open with"
                  + " such a replication"),
          new Advice(
              Pattern.compile("tablets.*enforced|disable tablets", Pattern.CASE_INSENSITIVE),
              "the servers enforce tablets, on which this version has no conditional writes: upgrade"
                  + " to 2025.4, or set tablets_mode_for_new_keyspaces to enabled"));

  private SetUpRefusals() {}

  /** Returns the error with advice, if its refusal is known, or else unchanged. */
  static Throwable explained(Throwable error) {
    if (!(error instanceof KvException.Permanent)) {
      return error;
    }
    String text = Objects.requireNonNullElse(error.getMessage(), "");
    for (Advice advice : ADVICES) {
      if (advice.refusal().matcher(text).find()) {
        return new KvException.Permanent(text + "; " + advice.next(), error.getCause());
      }
    }
    return error;
  }
}
