/**
 * A Prometheus histogram of request times that costs a map look-up and an addition per request; prom-client's own
 * hashes its labels at every observation. The registry asks for its values when it is scraped.
 */
import type { Metric } from 'prom-client';

interface Series {
  readonly labels: Readonly<Record<string, string | number>>;
  /** Observations per bucket, not cumulated; the last one is +Inf. */
  readonly counts: number[];
  sumSeconds: number;
}

export class RouteHistogram {
  readonly type = 'histogram';
  readonly aggregator = 'sum';
  readonly name: string;
  readonly help: string;
  readonly #bounds: readonly number[];
  readonly #series = new Map<string, Map<number, Series>>();

  /** `bounds` are upper limits of buckets, in seconds, ascending. */
  constructor(name: string, help: string, bounds: readonly number[]) {
    this.name = name;
    this.help = help;
    this.#bounds = bounds;
  }

  observe(method: string, route: string, status: number, seconds: number): void {
    const series = this.#seriesOf(method, route, status);
    let bucket = 0;
    while (bucket < this.#bounds.length && seconds > this.#bounds[bucket]!) bucket++;
    series.counts[bucket]!++;
    series.sumSeconds += seconds;
  }

  /** What prom-client asks of a metric. */
  async get(): Promise<object> {
    const values: object[] = [];
    for (const byStatus of this.#series.values()) {
      for (const series of byStatus.values()) values.push(...this.#valuesOf(series));
    }
    return { name: this.name, help: this.help, type: this.type, aggregator: this.aggregator, values };
  }

  reset(): void {
    this.#series.clear();
  }

  /** As a metric that a registry takes; it calls nothing but what is here. */
  asMetric(): Metric {
    return this as unknown as Metric;
  }

  #valuesOf({ labels, counts, sumSeconds }: Series): object[] {
    let cumulated = 0;
    const values: object[] = [];
    for (const [i, count] of counts.entries()) {
      cumulated += count;
      const le = this.#bounds[i] ?? '+Inf';
      values.push({ metricName: `${this.name}_bucket`, labels: { le, ...labels }, value: cumulated });
    }
    values.push({ metricName: `${this.name}_sum`, labels, value: sumSeconds });
    values.push({ metricName: `${this.name}_count`, labels, value: cumulated });
    return values;
  }

  #seriesOf(method: string, route: string, status: number): Series {
    const key = `${method} ${route}`;
    let byStatus = this.#series.get(key);
    if (!byStatus) this.#series.set(key, (byStatus = new Map<number, Series>()));
    let series = byStatus.get(status);
    if (!series) {
      series = { labels: { method, route, status }, counts: this.#bounds.map(() => 0).concat(0), sumSeconds: 0 };
      byStatus.set(status, series);
    }
    return series;
  }
}
