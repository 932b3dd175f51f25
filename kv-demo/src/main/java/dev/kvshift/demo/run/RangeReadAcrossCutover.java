package dev.kvshift.demo.run;

import dev.kvshift.api.Continuation;
import dev.kvshift.api.PageLimit;
import dev.kvshift.demo.catalog.CatalogKey.FileInPackage;
import dev.kvshift.demo.catalog.ClassFileCatalog;
import dev.kvshift.demo.proto.PackageFile;
import dev.kvshift.model.TypedPage;
import dev.kvshift.model.key.KeyRange;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A range read whose first page comes from the old store and whose last pages come from the new
 * one, through one connection string. Between two pages the continuation is printed and parsed, as
 * in a service that hands it to its own clients.
 */
final class RangeReadAcrossCutover {
  private static final PageLimit FIRST_PAGE = PageLimit.entries(10);
  private static final PageLimit LATER_PAGES = PageLimit.entries(50);
  private static final PageLimit WHOLE = PageLimit.entries(1_000);

  /**
   * The result of the read.
   *
   * @param packageName the package that was read
   * @param pagesBefore pages read before the migration
   * @param pagesAfter pages read after it
   * @param entries entries on all pages
   * @param complete whether these are exactly the package's entries, in order
   */
  record Result(
      String packageName, int pagesBefore, int pagesAfter, long entries, boolean complete) {}

  private final ClassFileCatalog catalog;
  private final String packageName;
  private final List<FileInPackage> found = new ArrayList<>();
  private @Nullable String token;
  private int pagesBefore;
  private int pagesAfter;

  /**
   * Creates the read.
   *
   * @param packageName a package that nobody writes to meanwhile
   */
  RangeReadAcrossCutover(ClassFileCatalog catalog, String packageName) {
    this.catalog = catalog;
    this.packageName = packageName;
  }

  /** Reads the first page. */
  void begin() {
    pagesBefore++;
    token = readPage(FIRST_PAGE, null);
  }

  /** Reads the rest, and compares all pages with a read from the beginning. */
  Result finish() {
    while (token != null) {
      pagesAfter++;
      token = readPage(LATER_PAGES, Continuation.parse(token));
    }
    boolean complete = !found.isEmpty() && found.equals(readAll());
    return new Result(packageName, pagesBefore, pagesAfter, found.size(), complete);
  }

  /** Reads a page and returns the printed continuation, or null after the last page. */
  private @Nullable String readPage(PageLimit limit, @Nullable Continuation from) {
    TypedPage<FileInPackage, PackageFile> page =
        catalog.page(packageName, KeyRange.all(), limit, from);
    page.entries().forEach(entry -> found.add(entry.clustering()));
    Continuation next = page.next();
    return next == null ? null : next.print();
  }

  private List<FileInPackage> readAll() {
    List<FileInPackage> all = new ArrayList<>();
    Continuation next = null;
    do {
      TypedPage<FileInPackage, PackageFile> page =
          catalog.page(packageName, KeyRange.all(), WHOLE, next);
      page.entries().forEach(entry -> all.add(entry.clustering()));
      next = page.next();
    } while (next != null);
    return all;
  }
}
