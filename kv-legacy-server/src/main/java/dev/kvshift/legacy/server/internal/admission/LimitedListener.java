package dev.kvshift.legacy.server.internal.admission;

import io.grpc.netty.shaded.io.netty.channel.ChannelFactory;
import io.grpc.netty.shaded.io.netty.channel.socket.nio.NioServerSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.socket.nio.NioSocketChannel;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A listening socket that accepts a limited number of connections and closes the others at once,
 * before they cost more than a file descriptor. Confined to its event loop, apart from the count.
 */
public final class LimitedListener extends NioServerSocketChannel {
  private final int limit;
  private final AtomicInteger open;

  private LimitedListener(int limit, AtomicInteger open) {
    this.limit = limit;
    this.open = open;
  }

  /**
   * Returns a factory of listening sockets that share one limit.
   *
   * @param open counts the open connections
   */
  public static ChannelFactory<LimitedListener> factory(int limit, AtomicInteger open) {
    return () -> new LimitedListener(limit, open);
  }

  @Override
  protected int doReadMessages(List<Object> accepted) throws Exception {
    int count = super.doReadMessages(accepted);
    if (count > 0) {
      NioSocketChannel connection = (NioSocketChannel) accepted.get(accepted.size() - 1);
      if (open.incrementAndGet() > limit) {
        open.decrementAndGet();
        accepted.remove(accepted.size() - 1);
        connection.unsafe().closeForcibly();
      } else {
        connection.closeFuture().addListener(closed -> open.decrementAndGet());
      }
    }
    return count;
  }
}
