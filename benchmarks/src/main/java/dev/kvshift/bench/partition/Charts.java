package dev.kvshift.bench.partition;

import dev.kvshift.bench.measure.Sample;
import java.awt.Color;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.BitmapEncoder.BitmapFormat;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.style.Styler.LegendPosition;

/** Charts of the cost of a main key by its size, one picture per layout. */
final class Charts {
  private static final int WIDTH = 900;
  private static final int HEIGHT = 500;
  private static final double LOW = 0.25;
  private static final double HIGH = 0.75;

  private Charts() {}

  /**
   * Writes {@code partition-size-LAYOUT.png} files.
   *
   * @param curves by {@code LAYOUT, WHAT}, samples by size
   */
  static void draw(Path folder, Map<String, Map<Integer, Sample>> curves) throws IOException {
    System.setProperty("java.awt.headless", "true");
    Files.createDirectories(folder);
    Map<String, XYChart> charts = new LinkedHashMap<>();
    curves.forEach(
        (name, points) -> {
          int comma = name.indexOf(", ");
          XYChart chart = charts.computeIfAbsent(name.substring(0, comma), layout -> chart(layout));
          List<Double> sizes = new ArrayList<>();
          List<Double> micros = new ArrayList<>();
          List<Double> spread = new ArrayList<>();
          points.forEach(
              (size, sample) -> {
                sizes.add((double) size);
                micros.add(sample.median());
                spread.add((sample.quantile(HIGH) - sample.quantile(LOW)) / 2);
              });
          chart.addSeries(name.substring(comma + 2), sizes, micros, spread);
        });
    for (Map.Entry<String, XYChart> chart : charts.entrySet()) {
      Path file = folder.resolve("partition-size-" + chart.getKey().replace("=", "-"));
      BitmapEncoder.saveBitmap(chart.getValue(), file.toString(), BitmapFormat.PNG);
    }
  }

  private static XYChart chart(String layout) {
    XYChart chart =
        new XYChartBuilder()
            .width(WIDTH)
            .height(HEIGHT)
            .title(layout + ": one main key as it grows")
            .xAxisTitle("entries of the main key")
            .yAxisTitle("microseconds: median, and half the distance of the quartiles")
            .build();
    chart.getStyler().setChartBackgroundColor(Color.WHITE);
    chart.getStyler().setXAxisLogarithmic(true);
    chart.getStyler().setXAxisDecimalPattern("#,###");
    chart.getStyler().setYAxisMin(0.0);
    chart.getStyler().setLegendPosition(LegendPosition.OutsideE);
    return chart;
  }
}
