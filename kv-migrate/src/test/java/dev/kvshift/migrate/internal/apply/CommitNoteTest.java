package dev.kvshift.migrate.internal.apply;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.migrate.internal.ledger.ChangeCount;
import org.junit.jupiter.api.Test;

/** Metadata of offsets, as runners have committed it, still means the same. */
final class CommitNoteTest {
  @Test
  void printAndParse_watermarkAlone_isAsEver() {
    CommitNote note = new CommitNote(403, null, null);

    assertThat(note.print()).isEqualTo("403 - 0");
    assertThat(CommitNote.parse("403 - 0", 401)).isEqualTo(note);
  }

  @Test
  void printAndParse_marker_isAsEver() {
    CommitNote note = new CommitNote(405, new PassedMarker("a1", 405, 4), null);

    assertThat(note.print()).isEqualTo("405 a1 4");
    assertThat(CommitNote.parse("405 a1 4", 401)).isEqualTo(note);
  }

  @Test
  void parse_nothingCommittedYet_isTheStart() {
    assertThat(CommitNote.parse("", 401)).isEqualTo(new CommitNote(401, null, null));
  }

  @Test
  void printAndParse_counts_followTheMarker() {
    ChangeCount seen = new ChangeCount(405, 3, 1_210);
    CommitNote note = new CommitNote(405, new PassedMarker("a1", 405, 4), seen);

    assertThat(note.print()).isEqualTo("405 a1 4 405 3 1210");
    assertThat(CommitNote.parse("405 a1 4 405 3 1210", 401)).isEqualTo(note);
  }
}
