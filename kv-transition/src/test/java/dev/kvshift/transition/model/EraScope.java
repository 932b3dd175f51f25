package dev.kvshift.transition.model;

/**
 * The bounds of one walk through {@link EraModel}.
 *
 * @param isFenced whether the collection moves by a fence from legacy; else from new-primary
 * @param instances how many instances serve
 * @param reads how many reads all instances together begin
 * @param puts how many puts
 * @param losses how many writes reach their deadline
 * @param returns how often another coordinator goes from the merge back to new-primary
 */
record EraScope(boolean isFenced, int instances, int reads, int puts, int losses, int returns) {
  static EraScope fromLegacy() {
    return new EraScope(true, 2, 0, 0, 0, 0);
  }

  static EraScope fromPrimary() {
    return new EraScope(false, 2, 0, 0, 0, 0);
  }

  EraScope reads(int n) {
    return new EraScope(isFenced, instances, n, puts, losses, returns);
  }

  EraScope puts(int n) {
    return new EraScope(isFenced, instances, reads, n, losses, returns);
  }

  EraScope losses(int n) {
    return new EraScope(isFenced, instances, reads, puts, n, returns);
  }

  EraScope returns(int n) {
    return new EraScope(isFenced, instances, reads, puts, losses, n);
  }
}
