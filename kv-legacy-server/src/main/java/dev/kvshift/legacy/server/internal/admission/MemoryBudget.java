package dev.kvshift.legacy.server.internal.admission;

import java.util.concurrent.atomic.AtomicLong;

/**
 * The memory of the process for requests and replies. Safe for use by many threads.
 *
 * <p><b>The problem.</b> A limit for each stream does not bound the process: nothing limits the
 * product of streams and what each of them holds. A limit for the process alone lets a few greedy
 * clients take everything, and refuses all others.
 *
 * <p><b>The idea.</b> A holder may hold no more than is left free, so that there is always
 * something left for the next one: of n greedy holders, each ends up with about an n-th, and as
 * much stays free. The last eighth is for holders of little: it admits a holder of up to a 64th of
 * what is free. So a client with a few small requests is served while others take all they get.
 *
 * <p>Nothing is taken from a holder. What does not fit is refused, or held back until there is
 * room.
 */
public final class MemoryBudget {
  /** The part of the heap that is left for everything else: three eighths are for the budget. */
  private static final int HEAP_EIGHTHS = 3;

  private static final int SMALL_FRACTION = 64;

  private final long limit;
  private final long reserve;
  private final AtomicLong used = new AtomicLong();

  public MemoryBudget(long limitBytes) {
    this.limit = limitBytes;
    this.reserve = limitBytes / 8;
  }

  /** Returns the default size of the budget: three eighths of the largest heap. */
  public static long defaultBytes() {
    return Runtime.getRuntime().maxMemory() / 8 * HEAP_EIGHTHS;
  }

  public long limitBytes() {
    return limit;
  }

  public long usedBytes() {
    return used.get();
  }

  /** Returns the account of a new holder. */
  public Account account() {
    return new Account();
  }

  private boolean allows(long heldAfter, long usedAfter) {
    long free = limit - usedAfter;
    return free >= 0 && heldAfter <= Math.max(free - reserve, free / SMALL_FRACTION);
  }

  /** The memory of one holder, who returns all of it exactly once. */
  public final class Account {
    private final AtomicLong held = new AtomicLong();

    private Account() {}

    public long heldBytes() {
      return held.get();
    }

    /** Takes memory if the holder may hold that much more. */
    public boolean tryTake(long bytes) {
      long heldAfter = held.addAndGet(bytes);
      if (allows(heldAfter, used.addAndGet(bytes))) {
        return true;
      }
      give(bytes);
      return false;
    }

    /** Takes memory that is in use in any case. */
    public void take(long bytes) {
      held.addAndGet(bytes);
      used.addAndGet(bytes);
    }

    /** Releases memory. */
    public void give(long bytes) {
      used.addAndGet(-bytes);
      held.addAndGet(-bytes);
    }

    /** Returns whether the holder could take as much again as it holds. */
    public boolean hasRoom() {
      long bytes = held.get();
      return allows(2 * bytes, used.get() + bytes);
    }
  }
}
