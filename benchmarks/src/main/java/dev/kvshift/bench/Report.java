package dev.kvshift.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The figures of one run, with what they were taken on and what they should be. */
final class Report {
  private static final double LOW = 0.25;
  private static final double HIGH = 0.75;

  /**
   * One figure.
   *
   * @param unit what it counts; {@code x} for ratios
   * @param low the lower quartile of the rounds
   * @param high the upper quartile of the rounds
   */
  private record Figure(
      String name,
      double value,
      String unit,
      double low,
      double high,
      int rounds,
      @Nullable Goal goal) {
    boolean isMet() {
      return goal == null || goal.isMet(value);
    }
  }

  private final String bench;
  private final List<String> arguments;
  private final long seed;
  private final Machine machine;
  private final Instant began = Instant.now();
  private final List<Figure> figures = new ArrayList<>();
  private final List<String> notes = new ArrayList<>();
  private final TreeMap<String, Object> parameters = new TreeMap<>();

  Report(String bench, List<String> arguments, long seed, Machine machine) {
    this.bench = bench;
    this.arguments = List.copyOf(arguments);
    this.seed = seed;
    this.machine = machine;
  }

  /** Notes how large the run is. */
  void parameter(String name, Object value) {
    parameters.put(name, value);
  }

  /** Notes what a reader of the figures should know. */
  void note(String text) {
    notes.add(text);
  }

  /** Adds a figure that has no goal. */
  void figure(String name, Sample sample, String unit) {
    add(name, sample, unit, null);
  }

  /** Adds a figure that is compared with its goal. */
  void figure(String name, Sample sample, String unit, Goal goal) {
    add(name, sample, unit, goal);
  }

  private void add(String name, Sample sample, String unit, @Nullable Goal goal) {
    figures.add(
        new Figure(
            name,
            sample.median(),
            unit,
            sample.quantile(LOW),
            sample.quantile(HIGH),
            sample.size(),
            goal));
  }

  boolean isMet() {
    return figures.stream().allMatch(Figure::isMet);
  }

  void printHead(PrintWriter out) {
    out.printf("bench %s, seed %d, commit %s%n", bench, seed, machine.commit());
    out.printf(
        Locale.ROOT,
        "%d cores (%s), %,d MiB memory, %,d MiB heap, %s, %s, load average %.2f%n",
        machine.cores(),
        machine.processor(),
        machine.memoryMebibytes(),
        machine.heapMebibytes(),
        machine.jdk(),
        machine.system(),
        machine.load());
    out.flush();
  }

  /** Prints what was measured, also before an error; nothing where nothing was. */
  void printFigures(PrintWriter out) {
    if (figures.isEmpty()) {
      return;
    }
    out.println();
    parameters.forEach((name, value) -> out.printf("%s = %s%n", name, value));
    int width = figures.stream().mapToInt(figure -> figure.name().length()).max().orElse(0);
    for (Figure figure : figures) {
      StringBuilder line = new StringBuilder();
      line.append(String.format(Locale.ROOT, "%-" + Math.max(1, width) + "s", figure.name()));
      line.append(String.format(Locale.ROOT, " %14s %-7s", number(figure.value()), figure.unit()));
      line.append(
          " (" + number(figure.low()) + " to " + number(figure.high()) + ", " + figure.rounds());
      line.append(figure.rounds() == 1 ? " round)" : " rounds)");
      Goal goal = figure.goal();
      if (goal != null) {
        line.append(goal.atLeast() ? "  goal >= " : "  goal <= ").append(number(goal.limit()));
        line.append(figure.isMet() ? "  met" : "  NOT MET");
      }
      out.println(line);
    }
    notes.forEach(note -> out.println("- " + note));
    long goals = figures.stream().filter(figure -> figure.goal() != null).count();
    long met = figures.stream().filter(figure -> figure.goal() != null && figure.isMet()).count();
    out.printf("%d of %d goals met%n", met, goals);
    out.flush();
  }

  private static String number(double value) {
    return Math.abs(value) >= 1_000
        ? String.format(Locale.ROOT, "%,.0f", value)
        : Math.abs(value) >= 20
            ? String.format(Locale.ROOT, "%.1f", value)
            : String.format(Locale.ROOT, "%.3f", value);
  }

  /** Writes all of it as JSON, in place of any file of the name. */
  void write(Path file) throws IOException {
    ObjectMapper mapper = new ObjectMapper();
    ObjectNode root = mapper.createObjectNode();
    root.put("bench", bench);
    root.put("format", 1);
    root.put("began", began.toString());
    root.put("seed", seed);
    root.set("arguments", mapper.valueToTree(arguments));
    root.set("machine", mapper.valueToTree(machine));
    root.set("parameters", mapper.valueToTree(parameters));
    ArrayNode all = root.putArray("figures");
    for (Figure figure : figures) {
      ObjectNode one = all.addObject();
      one.put("name", figure.name());
      one.put("value", figure.value());
      one.put("unit", figure.unit());
      one.put("lowerQuartile", figure.low());
      one.put("upperQuartile", figure.high());
      one.put("rounds", figure.rounds());
      Goal goal = figure.goal();
      if (goal != null) {
        one.put(goal.atLeast() ? "goalAtLeast" : "goalAtMost", goal.limit());
        one.put("met", figure.isMet());
      }
    }
    root.set("notes", mapper.valueToTree(notes));
    root.put("met", isMet());
    Path parent = file.toAbsolutePath().getParent();
    if (parent != null) {
      Files.createDirectories(parent);
    }
    mapper.writerWithDefaultPrettyPrinter().writeValue(file.toFile(), root);
  }
}
