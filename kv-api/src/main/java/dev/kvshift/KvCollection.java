package dev.kvshift;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Continuation;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.KvObserver;
import dev.kvshift.api.Layout;
import dev.kvshift.api.Outcome;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.RangePage;
import dev.kvshift.api.ReadOptions;
import dev.kvshift.api.WriteOptions;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * A collection of entries with the operations {@code get}, {@code put}, {@code delete} and {@code
 * getRange}, the first three also for several keys.
 *
 * <p>Safe for use by many threads. Every method waits for the store, at most for its time-out, and
 * 2 s longer if the driver does not keep to it. {@link #async()} has the same operations without
 * waiting.
 *
 * <p>Methods fail only with a {@link KvException}. A failed read has changed nothing. A failed
 * write was certainly not applied, unless it fails with {@link KvException.UnknownOutcome}. A wrong
 * argument, null included, fails with {@link KvException.InvalidArgument} before anything is sent.
 * A time-out or closing the store ends a read with {@link KvException.Transient} or {@link
 * KvException.Permanent}, and a write that may have been sent with {@link
 * KvException.UnknownOutcome}. Interrupting a waiting thread makes a read fail with {@link
 * KvException.Transient}, and a write, or all of a multi-key write, with {@link
 * KvException.UnknownOutcome}; the thread stays interrupted.
 *
 * <p>The limits are those of the store: lengths of key parts and values in bytes, checked before
 * anything is sent. The time-out covers the whole call, all its keys included. It is the store's,
 * unless the options of the call have one. A collection needs no closing: it is closed with its
 * {@link KvStore}.
 *
 * <p>The order of two concurrent writes of one key depends on the phase of a migration. From {@code
 * legacy} to {@code new-primary}, the old store's leader orders them. The later one stays, on both
 * stores, and every read agrees with this order. In {@code new-only}, as on {@code scylla://}
 * alone, the write with the later clock stays, whichever was acknowledged first; clocks agree
 * within 250 ms, or writes are refused. A write belongs to the phase in which it ended; a write
 * with an unknown outcome may still take its place in the order.
 */
public final class KvCollection {
  /** Maximum number of keys of one multi-key request. */
  public static final int MAX_KEYS = 10_000;

  private final CollectionOperations operations;
  private final Async async = new Async();

  KvCollection(CollectionOperations operations) {
    this.operations = operations;
  }

  /** Returns the collection's name. */
  public String name() {
    return operations.name();
  }

  /** Returns the collection's layout. */
  public Layout layout() {
    return operations.layout();
  }

  /**
   * Reports an operation to the store's observer that was refused before it was called, such as by
   * a model that cannot encode a value. Metrics then count it like every other failure.
   */
  public void refused(KvObserver.Operation operation, KvException error) {
    operations.refused(operation, error);
  }

  /** Returns the same operations without waiting. */
  public Async async() {
    return async;
  }

  /** Reads the value of a key; empty if it has none, or if it was deleted or has expired. */
  public Optional<Bytes> get(Key key) {
    return get(key, ReadOptions.none());
  }

  /** Reads the value of a key with options; empty if it has none. */
  public Optional<Bytes> get(Key key, ReadOptions options) {
    return Pending.await(() -> operations.get(key, options));
  }

  /** Writes a value, replacing the one that the key has. */
  public void put(Key key, Bytes value) {
    put(key, value, WriteOptions.none());
  }

  /** Writes a value with options. */
  public void put(Key key, Bytes value, WriteOptions options) {
    Pending.await(() -> operations.put(key, value, options));
  }

  /** Deletes a key. Succeeds if it does not exist. */
  public void delete(Key key) {
    delete(key, WriteOptions.none());
  }

  /**
   * Deletes a key with options.
   *
   * @throws KvException.InvalidArgument if the options have a TTL
   */
  public void delete(Key key, WriteOptions options) {
    Pending.await(() -> operations.delete(key, options));
  }

  /** Reads the first page of a range of one main key. */
  public RangePage getRange(Bytes main, Range range, PageLimit limit) {
    return getRange(main, range, limit, null);
  }

  /**
   * Reads a page of a range, which continues a previous one.
   *
   * @param next the continuation of the previous page, used with the same main key, bounds and
   *     direction; null for the first page
   * @throws KvException.InvalidArgument if the continuation belongs to another read
   */
  public RangePage getRange(Bytes main, Range range, PageLimit limit, @Nullable Continuation next) {
    return getRange(main, range, limit, next, ReadOptions.none());
  }

  /**
   * Reads a page of a range with options.
   *
   * @param next the continuation of the previous page, used with the same main key, bounds and
   *     direction; null for the first page
   * @throws KvException.InvalidArgument if the continuation belongs to another read
   */
  public RangePage getRange(
      Bytes main, Range range, PageLimit limit, @Nullable Continuation next, ReadOptions options) {
    return Pending.await(() -> operations.getRange(main, range, limit, next, options));
  }

  /**
   * Reads several keys, some of them concurrently. Each has its own outcome.
   *
   * @param keys at most {@value #MAX_KEYS}
   * @return the outcomes in the order of the keys
   * @throws KvException.InvalidArgument if a key is null, or there are too many; nothing was sent
   */
  public Map<Key, Outcome<Optional<Bytes>>> getAll(Collection<Key> keys) {
    return getAll(keys, ReadOptions.none());
  }

  /**
   * Reads several keys with options, some of them concurrently. Each has its own outcome. A key
   * that is not sent before the time-out fails with {@link KvException.Transient}.
   *
   * @param keys at most {@value #MAX_KEYS}
   * @return the outcomes in the order of the keys
   * @throws KvException.InvalidArgument if a key is null, or there are too many; nothing was sent
   */
  public Map<Key, Outcome<Optional<Bytes>>> getAll(Collection<Key> keys, ReadOptions options) {
    return Pending.await(() -> operations.getAll(keys, options));
  }

  /**
   * Writes several entries in no particular order, some of them concurrently. Each has its own
   * outcome.
   *
   * @param entries at most {@value #MAX_KEYS}
   * @return the outcomes in the order of the entries
   * @throws KvException.InvalidArgument if a key or a value is null, or there are too many; nothing
   *     was sent
   */
  public Map<Key, Outcome<@Nullable Void>> putAll(Map<Key, Bytes> entries) {
    return putAll(entries, WriteOptions.none());
  }

  /**
   * Writes several entries with options, in no particular order, some of them concurrently. Each
   * has its own outcome. An entry that is not sent before the time-out fails with {@link
   * KvException.Transient}.
   *
   * @param entries at most {@value #MAX_KEYS}
   * @return the outcomes in the order of the entries
   * @throws KvException.InvalidArgument if a key or a value is null, or there are too many; nothing
   *     was sent
   */
  public Map<Key, Outcome<@Nullable Void>> putAll(Map<Key, Bytes> entries, WriteOptions options) {
    return Pending.await(() -> operations.putAll(entries, options));
  }

  /**
   * Deletes several keys in no particular order, some of them concurrently. Each has its own
   * outcome.
   *
   * @param keys at most {@value #MAX_KEYS}
   * @return the outcomes in the order of the keys
   * @throws KvException.InvalidArgument if a key is null, or there are too many; nothing was sent
   */
  public Map<Key, Outcome<@Nullable Void>> deleteAll(Collection<Key> keys) {
    return deleteAll(keys, WriteOptions.none());
  }

  /**
   * Deletes several keys with options, in no particular order, some of them concurrently. Each has
   * its own outcome. A key that is not sent before the time-out fails with {@link
   * KvException.Transient}.
   *
   * @param keys at most {@value #MAX_KEYS}
   * @return the outcomes in the order of the keys
   * @throws KvException.InvalidArgument if a key is null, there are too many, or the options have a
   *     TTL; nothing was sent
   */
  public Map<Key, Outcome<@Nullable Void>> deleteAll(Collection<Key> keys, WriteOptions options) {
    return Pending.await(() -> operations.deleteAll(keys, options));
  }

  /**
   * The operations without waiting. Methods never throw: every error, also a wrong argument, is the
   * stage's. A stage fails with a bare {@link KvException}; as always in the JDK, what is derived
   * from it with {@code thenApply} and the like fails with a {@link
   * java.util.concurrent.CompletionException} around it. Stages complete on the executor of the
   * store's options. Safe for use by many threads.
   */
  public final class Async {
    private Async() {}

    /** See {@link KvCollection#get(Key)}. */
    public CompletionStage<Optional<Bytes>> get(Key key) {
      return get(key, ReadOptions.none());
    }

    /** See {@link KvCollection#get(Key, ReadOptions)}. */
    public CompletionStage<Optional<Bytes>> get(Key key, ReadOptions options) {
      return operations.get(key, options).stage(operations.executor());
    }

    /** See {@link KvCollection#put(Key, Bytes)}. */
    public CompletionStage<@Nullable Void> put(Key key, Bytes value) {
      return put(key, value, WriteOptions.none());
    }

    /** See {@link KvCollection#put(Key, Bytes, WriteOptions)}. */
    public CompletionStage<@Nullable Void> put(Key key, Bytes value, WriteOptions options) {
      return operations.put(key, value, options).stage(operations.executor());
    }

    /** See {@link KvCollection#delete(Key)}. */
    public CompletionStage<@Nullable Void> delete(Key key) {
      return delete(key, WriteOptions.none());
    }

    /** See {@link KvCollection#delete(Key, WriteOptions)}. */
    public CompletionStage<@Nullable Void> delete(Key key, WriteOptions options) {
      return operations.delete(key, options).stage(operations.executor());
    }

    /** See {@link KvCollection#getRange(Bytes, Range, PageLimit)}. */
    public CompletionStage<RangePage> getRange(Bytes main, Range range, PageLimit limit) {
      return getRange(main, range, limit, null);
    }

    /** See {@link KvCollection#getRange(Bytes, Range, PageLimit, Continuation)}. */
    public CompletionStage<RangePage> getRange(
        Bytes main, Range range, PageLimit limit, @Nullable Continuation next) {
      return getRange(main, range, limit, next, ReadOptions.none());
    }

    /** See {@link KvCollection#getRange(Bytes, Range, PageLimit, Continuation, ReadOptions)}. */
    public CompletionStage<RangePage> getRange(
        Bytes main,
        Range range,
        PageLimit limit,
        @Nullable Continuation next,
        ReadOptions options) {
      return operations.getRange(main, range, limit, next, options).stage(operations.executor());
    }

    /** See {@link KvCollection#getAll(Collection)}. */
    public CompletionStage<Map<Key, Outcome<Optional<Bytes>>>> getAll(Collection<Key> keys) {
      return getAll(keys, ReadOptions.none());
    }

    /** See {@link KvCollection#getAll(Collection, ReadOptions)}. */
    public CompletionStage<Map<Key, Outcome<Optional<Bytes>>>> getAll(
        Collection<Key> keys, ReadOptions options) {
      return operations.getAll(keys, options).stage(operations.executor());
    }

    /** See {@link KvCollection#putAll(Map)}. */
    public CompletionStage<Map<Key, Outcome<@Nullable Void>>> putAll(Map<Key, Bytes> entries) {
      return putAll(entries, WriteOptions.none());
    }

    /** See {@link KvCollection#putAll(Map, WriteOptions)}. */
    public CompletionStage<Map<Key, Outcome<@Nullable Void>>> putAll(
        Map<Key, Bytes> entries, WriteOptions options) {
      return operations.putAll(entries, options).stage(operations.executor());
    }

    /** See {@link KvCollection#deleteAll(Collection)}. */
    public CompletionStage<Map<Key, Outcome<@Nullable Void>>> deleteAll(Collection<Key> keys) {
      return deleteAll(keys, WriteOptions.none());
    }

    /** See {@link KvCollection#deleteAll(Collection, WriteOptions)}. */
    public CompletionStage<Map<Key, Outcome<@Nullable Void>>> deleteAll(
        Collection<Key> keys, WriteOptions options) {
      return operations.deleteAll(keys, options).stage(operations.executor());
    }
  }
}
