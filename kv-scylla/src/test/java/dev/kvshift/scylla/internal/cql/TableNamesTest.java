package dev.kvshift.scylla.internal.cql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.KvException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class TableNamesTest {
  @Test
  void data_namesThatLookAlike_staysInjective() {
    Map<String, String> owners = new HashMap<>();
    List<String> names =
        List.of(
            "files",
            "files-i1",
            "files-i1-shards",
            "files-shards",
            "files-chunks",
            "files--shards",
            "files-",
            "files-i",
            "files_i1",
            "files_u1",
            "files-u1",
            "files_chunks",
            "files_i1_chunks",
            "files__",
            "files_");
    for (String name : names) {
      for (long incarnation : List.of(1L, 11L, 2L)) {
        for (String collection : List.of(name, name + "_shards")) {
          String owner = collection + "#" + incarnation;
          assertThat(owners.put(TableNames.data(collection, incarnation), owner)).isNull();
        }
        assertThat(owners.put(TableNames.chunks(name, incarnation), name + "#chunks")).isNull();
      }
    }
    assertThat(owners).containsEntry("files_shards_i1", "files-shards#1");
    assertThat(owners).containsEntry("files_u1_i1", "files-u1#1");
    assertThat(owners).containsEntry("files_u1_u1", "files_u1#1");
    assertThat(owners).containsEntry("files_u1_u1_shards", "files_u1_shards#1");
    assertThat(owners).containsEntry("files_i1_shards", "files_shards#1");
    assertThat(owners).containsEntry("files_i1_chunks", "files#chunks");
  }

  @Test
  void data_longestName_fitsTheServersLimit() {
    String longest = "a".repeat(32);
    assertThat(TableNames.data(longest + "_shards", TableNames.MAX_INCARNATION))
        .hasSizeLessThanOrEqualTo(TableNames.MAX_TABLE_NAME);
    assertThat(TableNames.chunks(longest, TableNames.MAX_INCARNATION))
        .hasSizeLessThanOrEqualTo(TableNames.MAX_TABLE_NAME);
    assertThatThrownBy(() -> TableNames.data(longest, TableNames.MAX_INCARNATION + 1))
        .isInstanceOf(KvException.Permanent.class);
  }
}
