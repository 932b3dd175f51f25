package dev.kvshift.legacy.wire;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.fuzz.FuzzTarget;
import java.util.List;

/** Frames of replies, as a driver unpacks them. It turns whatever they throw into an answer. */
public final class ReplyFuzz implements FuzzTarget {
  @Override
  public List<byte[]> seeds() {
    return List.of(
        ReplyFrame.newBuilder()
            .addReplies(
                Reply.newBuilder()
                    .setId(1)
                    .setFailure(Failures.of(new KvException.Transient("again"))))
            .addReplies(Reply.newBuilder().setPage(Page.newBuilder().setStop(1)))
            .addReplies(Reply.newBuilder().setChanges(Changes.newBuilder().setPosition(3)))
            .build()
            .toByteArray());
  }

  @Override
  public void decode(byte[] input) {
    ReplyFrame frame;
    try {
      frame = ReplyFrame.parseFrom(input);
    } catch (InvalidProtocolBufferException refused) {
      return;
    }
    frame.getRepliesList().forEach(ReplyFuzz::unpack);
  }

  @SuppressWarnings("CatchAndPrintStackTrace")
  private static void unpack(Reply reply) {
    try {
      switch (reply.getBodyCase()) {
        case FAILURE -> Failures.read(reply.getFailure(), "store");
        case PAGE -> {
          Messages.scanPage(reply.getPage());
          Messages.rowPage(reply.getPage(), Bytes.utf8("m"));
        }
        case CHANGES -> Messages.changes(reply.getChanges());
        case GATE -> Messages.state(reply.getGate());
        case STATES -> Messages.states(reply.getStates());
        case FENCE -> Messages.fence(reply.getFence());
        case LOCK -> Messages.lock(reply.getLock());
        case INSTANCES -> reply.getInstances().getInstancesList().forEach(Messages::instance);
        case ROW -> Messages.row(reply.getRow());
        default -> {}
      }
    } catch (RuntimeException refused) {
      // The driver fails the request with it.
    }
  }
}
