package dev.kvshift.legacy.server.internal.admission;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class MemoryBudgetTest {
  private static final long LIMIT = 64_000;
  private static final long RESERVE = LIMIT / 8;

  private final MemoryBudget budget = new MemoryBudget(LIMIT);

  @Test
  void tryTake_byOneHolder_endsWhenItHoldsAsMuchAsIsFree() {
    MemoryBudget.Account greedy = budget.account();

    long most = (LIMIT - RESERVE) / 2;
    assertThat(greedy.tryTake(most + 1)).isFalse();
    assertThat(budget.usedBytes()).isZero();
    assertThat(greedy.tryTake(most)).isTrue();
    assertThat(greedy.tryTake(1)).isFalse();
    assertThat(greedy.heldBytes()).isEqualTo(most);
    assertThat(budget.usedBytes()).isEqualTo(most);
  }

  @Test
  void tryTake_whenOthersTookAllTheyGet_admitsAHolderOfLittle() {
    List<MemoryBudget.Account> greedy = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      MemoryBudget.Account account = budget.account();
      while (account.tryTake(100)) {}
      greedy.add(account);
    }

    assertThat(greedy).anyMatch(account -> account.heldBytes() > 0);
    assertThat(budget.account().tryTake(100)).isFalse();
    assertThat(budget.account().tryTake(40)).isTrue();
    assertThat(budget.usedBytes()).isLessThan(LIMIT);
  }

  @Test
  void take_beyondTheLimit_isCountedAndLeavesNothing() {
    budget.account().take(LIMIT + 1);

    assertThat(budget.account().tryTake(0)).isFalse();
  }

  @Test
  void give_ofEverything_leavesTheWholeBudget() {
    MemoryBudget.Account account = budget.account();
    account.take(LIMIT);
    account.give(LIMIT);

    assertThat(budget.usedBytes()).isZero();
    assertThat(account.tryTake((LIMIT - RESERVE) / 2)).isTrue();
  }

  @Test
  void hasRoom_whenAsMuchAgainDoesNotFit_isFalse() {
    MemoryBudget.Account account = budget.account();
    assertThat(account.hasRoom()).isTrue();
    account.take((LIMIT - RESERVE) / 4);
    assertThat(account.hasRoom()).isTrue();
    account.take(1);
    assertThat(account.hasRoom()).isFalse();
  }
}
