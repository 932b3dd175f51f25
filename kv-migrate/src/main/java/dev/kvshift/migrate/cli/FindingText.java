package dev.kvshift.migrate.cli;

import dev.kvshift.migrate.api.Finding;
import dev.kvshift.migrate.internal.ledger.Members;
import java.util.ArrayList;
import java.util.List;

/** Findings as lines for people and as JSON for programs. */
final class FindingText {
  private FindingText() {}

  static boolean isBlocked(List<Finding> findings) {
    return findings.stream().anyMatch(finding -> finding.level() == Finding.Level.BLOCKER);
  }

  static List<String> lines(String collection, List<Finding> findings) {
    List<String> lines = new ArrayList<>();
    lines.add(collection + (isBlocked(findings) ? ": blocked" : ": nothing blocks it"));
    lines.addAll(lines(findings));
    return lines;
  }

  static List<String> lines(List<Finding> findings) {
    List<String> lines = new ArrayList<>();
    for (Finding finding : findings) {
      lines.add("  " + finding.level().word() + "  " + finding.what() + ": " + finding.evidence());
      if (!finding.risk().isEmpty()) {
        lines.add("      risk: " + finding.risk());
        lines.add("      do: " + finding.remedy());
      }
    }
    return lines;
  }

  static Members members(String collection, List<Finding> findings) {
    return new Members()
        .with("collection", collection)
        .with("blocked", isBlocked(findings))
        .withObjects("findings", members(findings));
  }

  static List<Members> members(List<Finding> findings) {
    return findings.stream().map(FindingText::members).toList();
  }

  private static Members members(Finding finding) {
    return new Members()
        .with("level", finding.level().word())
        .with("what", finding.what())
        .with("evidence", finding.evidence())
        .with("risk", finding.risk())
        .with("do", finding.remedy());
  }
}
