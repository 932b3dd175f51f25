package dev.kvshift.demo;

import dev.kvshift.api.Continuation;
import dev.kvshift.demo.Collections.FileKey;
import dev.kvshift.demo.proto.PackageFile;
import dev.kvshift.model.TypedPage;
import dev.kvshift.model.key.KeyRange;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A range read whose first page comes from the old store and whose last ones come from the new,
 * through one connection string. Its token is printed and read again on the way, as a service that
 * hands it to its own clients would.
 */
final class RangeAcross {
  private static final int FIRST_PAGE = 10;
  private static final int PAGE = 50;
  private static final int WHOLE_PAGE = 1_000;

  private final Collections collections;
  private final String packageName;
  private final List<FileKey> found = new ArrayList<>();
  private @Nullable String token;
  private int pagesBefore;
  private int pagesAfter;

  RangeAcross(Collections collections, String packageName) {
    this.collections = collections;
    this.packageName = packageName;
  }

  /** Reads the first page. */
  void begin() {
    pagesBefore++;
    TypedPage<FileKey, PackageFile> page = read(FIRST_PAGE, null);
    token = page.next() == null ? null : page.next().print();
  }

  /** Reads the rest. */
  void finish() {
    while (token != null) {
      pagesAfter++;
      TypedPage<FileKey, PackageFile> page = read(PAGE, Continuation.parse(token));
      token = page.next() == null ? null : page.next().print();
    }
  }

  /** Compares with one read from end to end: nobody writes to the package meanwhile. */
  Report.RangeReport report() {
    List<FileKey> whole = new ArrayList<>();
    Continuation next = null;
    do {
      TypedPage<FileKey, PackageFile> page =
          collections.page(packageName, KeyRange.all(), WHOLE_PAGE, next);
      page.entries().forEach(entry -> whole.add(entry.clustering()));
      next = page.next();
    } while (next != null);
    return new Report.RangeReport(
        packageName,
        pagesBefore,
        pagesAfter,
        found.size(),
        !found.isEmpty() && whole.equals(found));
  }

  private TypedPage<FileKey, PackageFile> read(int entries, @Nullable Continuation next) {
    TypedPage<FileKey, PackageFile> page =
        collections.page(packageName, KeyRange.all(), entries, next);
    page.entries().forEach(entry -> found.add(entry.clustering()));
    return page;
  }
}
