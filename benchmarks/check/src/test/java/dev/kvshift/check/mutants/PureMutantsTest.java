package dev.kvshift.check.mutants;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

final class PureMutantsTest {
  private static final String KILLED = "Gate.java,a.Gate,p.NegateMutator,seal,7,KILLED,aTest";
  private static final String SURVIVED = "Gate.java,a.Gate,p.NegateMutator,lift,9,SURVIVED,none";

  @Test
  void of_report_listsWhatIsNotKilled() {
    PureMutants mutants =
        PureMutants.of(
            List.of(
                KILLED,
                SURVIVED,
                "Gate.java,a.Gate,p.NegateMutator,seal,8,TIMED_OUT,aTest",
                "Gate.java,a.Gate,p.MathMutator,floor,3,NO_COVERAGE,none"));

    assertThat(mutants.mutants()).isEqualTo(4);
    assertThat(mutants.killed()).isEqualTo(2);
    assertThat(mutants.left())
        .containsExactly(
            "SURVIVED a.Gate lift line 9 NegateMutator",
            "NO_COVERAGE a.Gate floor line 3 MathMutator");
  }

  @Test
  void isEnough_nineOfTen_isTheBound() {
    List<String> lines = new ArrayList<>(Collections.nCopies(9, KILLED));
    assertThat(PureMutants.of(List.of()).isEnough()).isFalse();
    lines.add(SURVIVED);
    assertThat(PureMutants.of(lines).isEnough()).isTrue();
    lines.add(SURVIVED);
    assertThat(PureMutants.of(lines).isEnough()).isFalse();
  }
}
