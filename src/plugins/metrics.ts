/** Prometheus metrics. Labels are bounded: method, route pattern and status, never a name that a client chose. */
import type { FastifyInstance } from 'fastify';
import { collectDefaultMetrics, Counter, Gauge, Registry as Metrics } from 'prom-client';
import type { Context } from '../context.js';
import { preImageBytes } from '../file/pre-images.js';
import type { Registry as Datasets } from '../registry/registry.js';
import { RouteHistogram } from './route-histogram.js';

export function registerMetrics(app: FastifyInstance, context: Context, registry: Datasets): Metrics {
  const metrics = new Metrics();
  collectDefaultMetrics({ register: metrics });
  const registers = [metrics];
  const durations = new RouteHistogram(
    'hyperslab_request_duration_seconds',
    'Time from the request head to the last byte handed to the kernel.',
    [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60],
  );
  metrics.registerMetric(durations.asMetric());
  let sentBytes = 0;
  total('hyperslab_answer_bytes_total', 'Content-Length of all answers.', () => sentBytes);
  gauge('hyperslab_datasets', 'Registered datasets.', () => registry.size);
  gauge('hyperslab_datasets_quarantined', 'Datasets that could not be loaded.', () => registry.quarantined.length);
  gauge('hyperslab_open_files', 'Data files that are open.', () => context.files.openCount);
  gauge('hyperslab_mapped_windows', 'Windows of files that are mapped.', () => context.files.windowCount);
  gauge(
    'hyperslab_held_bytes',
    'Memory that requests hold: bodies, whole answers, cells.',
    () => context.budget.usedBytes,
  );
  gauge('hyperslab_memory_waiters', 'Requests that wait for memory.', () => context.budget.waiting);
  const { counts } = context.files.journals;
  total('hyperslab_journal_records_total', 'Commits that went through a journal.', () => counts.records);
  total('hyperslab_journal_syncs_total', 'Syncs that made them durable; writers share them.', () => counts.syncs);
  total(
    'hyperslab_checkpoints_total',
    'Times that a file was synced and its journal emptied.',
    () => counts.checkpoints,
  );
  total('hyperslab_journal_replayed_total', 'Records replayed after a crash.', () => counts.replayedRecords);
  gauge('hyperslab_journal_bytes', 'Bytes that a recovery would have to replay.', () => context.files.journalBytes);
  gauge('hyperslab_pre_image_bytes', 'Overwritten bytes that are kept for slow readers.', preImageBytes);
  gauge('hyperslab_tasks_queued', 'Tasks that wait for a worker.', () => context.pool.queued);
  const { counts: tasks } = context.pool;
  labelled(
    'counter',
    'hyperslab_tasks_total',
    'lane',
    'Tasks that workers did: what is waited for, and long scans.',
    () => tasks.done,
  );
  labelled('gauge', 'hyperslab_jobs', 'state', 'Jobs that are known.', () => context.jobs.counts);
  labelled('counter', 'hyperslab_jobs_ended_total', 'state', 'Jobs that have ended.', () => context.jobs.endedCounts);
  gauge(
    'hyperslab_statistics_running',
    'Large statistics that run while a client waits.',
    () => context.admission.running,
  );
  gauge('hyperslab_statistics_waiting', 'Large statistics that wait for a place.', () => context.admission.waiting);
  gauge('hyperslab_workers', 'Worker threads.', () => context.pool.threads);
  total('hyperslab_workers_lost_total', 'Worker threads that ended by themselves.', () => tasks.lost);

  app.addHook('onResponse', (request, reply, done) => {
    durations.observe(
      request.method,
      request.routeOptions.url ?? 'unknown',
      reply.statusCode,
      reply.elapsedTime / 1000,
    );
    if (request.method !== 'HEAD') sentBytes += Number(reply.getHeader('content-length') ?? 0);
    done();
  });
  return metrics;

  /** A number that is counted elsewhere. */
  function total(name: string, help: string, read: () => number): void {
    const collect = (): void => {
      made.reset();
      made.inc(read());
    };
    const made: Counter = new Counter({ name, help, registers, collect });
  }

  /** Numbers that are counted elsewhere, one for each value of a label. */
  function labelled(
    type: 'gauge' | 'counter',
    name: string,
    label: string,
    help: string,
    read: () => Readonly<Record<string, number>>,
  ): void {
    const collect = (): void => {
      made.reset();
      for (const [value, count] of Object.entries(read())) made.inc({ [label]: value }, count);
    };
    const Metric = type === 'gauge' ? Gauge : Counter;
    const made: Gauge | Counter = new Metric({ name, help, registers, collect, labelNames: [label] });
  }

  function gauge(name: string, help: string, read: () => number): void {
    // prom-client calls `collect` with the gauge as `this` when it is scraped.
    const made: Gauge = new Gauge({ name, help, registers, collect: () => made.set(read()) });
  }
}
