package dev.kvshift.bench.measure;

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
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The figures of one run, with their goals and the machine on which they were taken. */
public final class Report {
  private static final int FORMAT = 1;

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

  /** Adds a parameter of the run, such as its size. */
  public void parameter(String name, Object value) {
    parameters.put(name, value);
  }

  /** Adds a remark for readers of the figures. */
  public void note(String text) {
    notes.add(text);
  }

  /** Adds a figure without a goal. */
  public void figure(String name, Sample sample, String unit) {
    figures.add(Figure.of(name, sample, unit, null));
  }

  /** Adds a figure with its goal, if it has one. */
  public void figure(String name, Sample sample, String unit, @Nullable Goal goal) {
    figures.add(Figure.of(name, sample, unit, goal));
  }

  boolean isMet() {
    return figures.stream().allMatch(Figure::isMet);
  }

  void printHead(PrintWriter out) {
    out.printf("bench %s, seed %d, commit %s%n", bench, seed, machine.commit());
    out.println(machine.line());
    out.flush();
  }

  /** Prints the figures taken so far, if there are any: a run that failed prints its own too. */
  void printFigures(PrintWriter out) {
    if (figures.isEmpty()) {
      return;
    }
    out.println();
    parameters.forEach((name, value) -> out.printf("%s = %s%n", name, value));
    int width = figures.stream().mapToInt(figure -> figure.name().length()).max().orElse(0);
    figures.forEach(figure -> out.println(figure.line(width)));
    notes.forEach(note -> out.println("- " + note));
    long goals = figures.stream().filter(figure -> figure.goal() != null).count();
    long met = figures.stream().filter(figure -> figure.goal() != null && figure.isMet()).count();
    out.printf("%d of %d goals met%n", met, goals);
    out.flush();
  }

  /** Writes the report as JSON, and its figures as a table beside it, replacing both files. */
  void write(Path file) throws IOException {
    Path absolute = file.toAbsolutePath();
    Path parent = absolute.getParent();
    if (parent != null) {
      Files.createDirectories(parent);
    }
    ObjectMapper mapper = new ObjectMapper();
    mapper.writerWithDefaultPrettyPrinter().writeValue(absolute.toFile(), json(mapper));
    String name = absolute.getFileName().toString().replaceFirst("\\.json$", "");
    Files.write(absolute.resolveSibling(name + ".md"), table());
  }

  private ObjectNode json(ObjectMapper mapper) {
    ObjectNode root = mapper.createObjectNode();
    root.put("bench", bench);
    root.put("format", FORMAT);
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
        boolean atLeast = goal.bound() == Goal.Bound.AT_LEAST;
        one.put(atLeast ? "goalAtLeast" : "goalAtMost", goal.limit());
        one.put("met", figure.isMet());
      }
    }
    root.set("notes", mapper.valueToTree(notes));
    root.put("met", isMet());
    return root;
  }

  private List<String> table() {
    List<String> lines = new ArrayList<>();
    lines.add("# bench " + bench);
    lines.add("");
    lines.add("Began " + began + ", seed " + seed + ", commit " + machine.commit() + ".");
    lines.add(machine.line() + ".");
    lines.add("");
    lines.add("| figure | median | quartiles | goal | |");
    lines.add("|---|---|---|---|---|");
    figures.forEach(figure -> lines.add(figure.row()));
    if (!notes.isEmpty()) {
      lines.add("");
      notes.forEach(note -> lines.add("- " + note));
    }
    return lines;
  }
}
