package dev.kvshift.migrate;

import java.util.Objects;

/**
 * The migration of one collection by the fence way: writers go on until the fence, wait there for a
 * moment, and go on at the new store.
 *
 * <p>{@link #run()} does everything; the steps can also be called one by one, in their order. Each
 * step is durable: kept in the target's metadata, so that after a crash a new run, on any machine,
 * goes on where the last one was. Methods are for one thread; {@link #close()} is for any.
 *
 * <p>Methods fail with {@link dev.kvshift.api.KvException} where a store or the broker fails
 * ({@code Transient}: start again) and with {@link MigrationException} where what was found forbids
 * to go on. After any failure before the move the source serves as before. An interrupted thread
 * makes a method fail with {@code Transient}.
 *
 * <p>Closing stops the stream and the apply, waits for them for a moment, and leaves the stores
 * open.
 */
@SuppressWarnings("DoNotCallSuggester")
public final class Migration implements AutoCloseable {
  private final MigrationPlan plan;
  private final Progress progress;

  private Migration(MigrationPlan plan, Progress progress) {
    this.plan = plan;
    this.progress = progress;
  }

  /** Returns a migration of the plan; nothing is touched yet. */
  public static Migration of(MigrationPlan plan, Progress progress) {
    return new Migration(Objects.requireNonNull(plan), Objects.requireNonNull(progress));
  }

  /** Does every step that is not done yet, up to the end of the cutover. */
  public MigrationResult run() {
    throw new UnsupportedOperationException(plan.collection() + progress);
  }

  /** Opens the target as importing, makes the topic, and fixes where the stream begins. */
  public void prepare() {
    throw new UnsupportedOperationException();
  }

  /** Starts to stream and to apply, on threads of their own; does nothing where they run. */
  public void start() {
    throw new UnsupportedOperationException();
  }

  /** Copies what is not copied yet. */
  public CopyReport copy() {
    throw new UnsupportedOperationException();
  }

  /** Waits until the changes committed by now are applied. */
  public void catchUp() {
    throw new UnsupportedOperationException();
  }

  /**
   * Compares both stores; writers go on meanwhile.
   *
   * @return what differs; a report with differences is no failure here
   */
  public VerifyReport verify() {
    throw new UnsupportedOperationException();
  }

  /**
   * Hands the collection over. Needs a {@link #verify()} without differences in this run.
   *
   * @throws MigrationException.CutoverRefused where the certificate is not complete, or no attempt
   *     could be drained in time; the writers then go on at the source
   */
  public CutoverReport cutover() {
    throw new UnsupportedOperationException();
  }

  @Override
  public void close() {}
}
