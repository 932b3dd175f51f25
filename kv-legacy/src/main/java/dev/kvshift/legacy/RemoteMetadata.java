package dev.kvshift.legacy;

import dev.kvshift.api.Bytes;
import dev.kvshift.legacy.PendingRequest.Kind;
import dev.kvshift.legacy.wire.LegacyLimits;
import dev.kvshift.legacy.wire.ListRecords;
import dev.kvshift.legacy.wire.Messages;
import dev.kvshift.legacy.wire.Record;
import dev.kvshift.legacy.wire.Reply;
import dev.kvshift.legacy.wire.Request;
import dev.kvshift.legacy.wire.SetRecord;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Metadata;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** The small records of the store, held by the server. Checks each request before it is sent. */
final class RemoteMetadata implements Metadata {
  private final LegacyStore store;

  RemoteMetadata(LegacyStore store) {
    this.store = store;
  }

  @Override
  public CompletionStage<@Nullable Bytes> get(String name) {
    return Futures.<@Nullable Bytes>start(
        () -> {
          LegacyLimits.checkRecordName(name);
          return store.send(
              Request.newBuilder().setRecord(name), Kind.READ, store.call(), RemoteMetadata::value);
        });
  }

  private static @Nullable Bytes value(Reply reply) {
    Record record = reply.getRecord();
    return record.hasValue() ? Messages.bytes(record.getValue()) : null;
  }

  @Override
  public CompletionStage<SortedMap<String, Bytes>> list(String prefix, String after, int limit) {
    return Futures.start(
        () -> {
          LegacyLimits.checkListing(prefix, limit);
          return list(prefix, after, limit, new TreeMap<>());
        });
  }

  private CompletionStage<SortedMap<String, Bytes>> list(
      String prefix, String after, int limit, SortedMap<String, Bytes> found) {
    ListRecords.Builder listing =
        ListRecords.newBuilder().setPrefix(prefix).setAfter(after).setLimit(limit - found.size());
    return store
        .send(
            Request.newBuilder().setListRecords(listing),
            Kind.READ,
            store.call(),
            Reply::getRecords)
        .thenCompose(
            page -> {
              for (Record record : page.getRecordsList()) {
                found.put(record.getName(), Messages.bytes(record.getValue()));
              }
              return page.getMore() && found.size() < limit
                  ? list(prefix, found.lastKey(), limit, found)
                  : CompletableFuture.completedFuture(found);
            });
  }

  @Override
  public CompletionStage<Boolean> compareAndSet(
      String name, @Nullable Bytes expected, @Nullable Bytes next) {
    return Futures.start(
        () -> {
          LegacyLimits.checkRecordName(name);
          SetRecord.Builder change = SetRecord.newBuilder().setName(name);
          if (expected != null) {
            change.setExpected(Messages.bytes(expected));
          }
          if (next != null) {
            LegacyLimits.checkRecordBytes(name, next.size());
            change.setNext(Messages.bytes(next));
          }
          return store.send(
              Request.newBuilder().setSetRecord(change),
              Kind.ONCE,
              store.call(),
              Reply::getChanged);
        });
  }
}
