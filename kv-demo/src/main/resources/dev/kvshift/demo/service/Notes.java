package %PACKAGE%;

import static dev.kvshift.model.Values.text;
import static dev.kvshift.model.key.Keys.firstBits;
import static dev.kvshift.model.key.Keys.instant;
import static dev.kvshift.model.key.Keys.string;

import dev.kvshift.KvStore;
import dev.kvshift.api.Continuation;
import dev.kvshift.api.PageLimit;
import dev.kvshift.model.Model;
import dev.kvshift.model.RangeModel;
import dev.kvshift.model.TypedPage;
import dev.kvshift.model.TypedRange;
import dev.kvshift.model.key.KeyRange;
import java.time.Instant;
import java.util.Optional;

/** The notes of users, sorted by time. Safe for use by many threads. */
public final class Notes {
  /** Keys and shard rule are stored with the data, so think twice before the first deployment. */
  public static final RangeModel<String, Instant, String> MODEL =
      Model.range("notes")
          .main(string()) // the user
          .clustering(instant()) // when the note was written
          .shardBy(firstBits(40)) // a partition holds half a year of a user's notes
          .value(text()); // protobuf(Note.parser()), if values have several fields

  private final TypedRange<String, Instant, String> notes;

  /** Opens the collection. */
  public Notes(KvStore store) {
    notes = MODEL.open(store);
  }

  public void write(String user, Instant written, String note) {
    notes.put(user, written, note);
  }

  public Optional<String> find(String user, Instant written) {
    return notes.get(user, written);
  }

  public void delete(String user, Instant written) {
    notes.delete(user, written);
  }

  /**
   * Returns a page of a user's notes, the newest first.
   *
   * @param after the position that the previous page printed; empty for the first page
   */
  public TypedPage<Instant, String> newest(String user, int entries, String after) {
    return notes.getRange(
        user,
        KeyRange.<Instant>all().backward(),
        PageLimit.entries(entries),
        after.isEmpty() ? null : Continuation.parse(after));
  }
}
