package dev.kvshift.migrate.internal.monitor;

import java.util.Arrays;

/**
 * The course of some series over time, in bounded memory: once it is full, neighbouring points
 * become one, so a longer time is kept at a lower resolution. Safe for use by many threads.
 */
final class History {
  /** The number of points that are kept of each series. */
  static final int MAX_POINTS = 720;

  private final int series;
  private final double[][] points;
  private int size;
  private int stride = 1;
  private int pending;

  /** Creates a history of that many series, beside the time, which is the first. */
  History(int series) {
    this.series = series + 1;
    this.points = new double[MAX_POINTS][];
  }

  /** Adds a point: the time and the value of each series. Values of merged points are maxima. */
  synchronized void add(double... point) {
    if (pending > 0) {
      points[size - 1] = merged(points[size - 1], point);
    } else {
      if (size == MAX_POINTS) {
        halve();
      }
      points[size++] = Arrays.copyOf(point, series);
    }
    pending = (pending + 1) % stride;
  }

  private void halve() {
    for (int i = 0; i < MAX_POINTS / 2; i++) {
      points[i] = merged(points[2 * i], points[2 * i + 1]);
    }
    Arrays.fill(points, MAX_POINTS / 2, MAX_POINTS, null);
    size = MAX_POINTS / 2;
    stride *= 2;
  }

  private static double[] merged(double[] a, double[] b) {
    double[] both = new double[a.length];
    for (int i = 0; i < a.length; i++) {
      both[i] = Double.isNaN(a[i]) ? b[i] : Double.isNaN(b[i]) ? a[i] : Math.max(a[i], b[i]);
    }
    return both;
  }

  /** Returns a series, oldest first; series 0 is the time. */
  synchronized double[] values(int number) {
    double[] values = new double[size];
    for (int i = 0; i < size; i++) {
      values[i] = points[i][number];
    }
    return values;
  }
}
