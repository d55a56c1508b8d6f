/** Prometheus metrics. Labels are bounded: method, route pattern and status, never a name that a client chose. */
import { readFile, statfs } from 'node:fs/promises';
import type { FastifyInstance } from 'fastify';
import { collectDefaultMetrics, Counter, Gauge, Registry as Metrics } from 'prom-client';
import type { Context } from '../context.js';
import { preImageBytes } from '../file/pre-images.js';
import type { Registry as Datasets } from '../registry/registry.js';
import { traffic } from '../traffic.js';
import { VERSION } from '../version.js';
import { RouteHistogram } from './route-histogram.js';

const DISK_ASKED_MS = 5000;

export function registerMetrics(app: FastifyInstance, context: Context, registry: Datasets): Metrics {
  const metrics = new Metrics();
  collectDefaultMetrics({ register: metrics });
  const registers = [metrics];
  const disk = { askedMs: Number.NEGATIVE_INFINITY, free: Promise.resolve<number | undefined>(undefined) };
  const durations = new RouteHistogram(
    'hyperslab_request_duration_seconds',
    'Time from the request head to the last byte handed to the kernel.',
    [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60],
  );
  metrics.registerMetric(durations.asMetric());
  let sentBytes = 0;
  labelled('gauge', 'hyperslab_build_info', ['version', 'node'], 'Always 1; the labels say what runs.', () => [
    [{ version: VERSION, node: process.versions.node }, 1],
  ]);
  gauge('hyperslab_requests_in_flight', 'Requests that are not answered to the last byte.', () => traffic.underWay);
  gauge('hyperslab_connections', 'Connections that are open.', () => traffic.connections);
  labelled('counter', 'hyperslab_problems_total', ['code'], 'Problem documents that were answered, by code.', () =>
    byValue('code', traffic.problems),
  );
  total(
    'hyperslab_refused_credentials_total',
    'Requests whose key or token did not hold.',
    () => traffic.refusedCredentials,
  );
  total('hyperslab_scanned_bytes_total', 'Bytes of arrays that statistics have read.', () => traffic.scannedBytes);
  total(
    'hyperslab_written_bytes_total',
    'Bytes of elements that writes and imports put into array files.',
    () => traffic.writtenBytes,
  );
  labelled(
    'counter',
    'hyperslab_statistics_total',
    ['cache'],
    'Statistics that were answered: all (hit), some (partial) or nothing (miss) of them was in the cache.',
    () => byValue('cache', traffic.statistics),
  );
  gauge(
    'hyperslab_durability_unknown_files',
    'Files that the disk failed; they are not served until a restart.',
    () => context.files.failedFileIds.length,
  );
  gauge('hyperslab_disk_free_bytes', 'What the disk of the data folder has left for the service.', freeBytes);
  gauge(
    'hyperslab_memory_anonymous_bytes',
    'Memory of the process itself, without the pages of mapped files that its resident memory counts too.',
    anonymousBytes,
  );
  total('hyperslab_answer_bytes_total', 'Content-Length of all answers.', () => sentBytes);
  gauge('hyperslab_datasets', 'Registered datasets.', () => registry.size);
  gauge('hyperslab_datasets_quarantined', 'Datasets that could not be loaded.', () => registry.quarantined.length);
  gauge(
    'hyperslab_followers',
    'Event streams of datasets, and calls that wait for a change.',
    () => context.following.size,
  );
  gauge('hyperslab_open_files', 'Data files that are open.', () => context.files.openCount);
  gauge('hyperslab_mapped_windows', 'Windows of files that are mapped.', () => context.files.windowCount);
  gauge(
    'hyperslab_held_bytes',
    'Memory that requests hold: bodies, whole answers, cells.',
    () => context.budget.usedBytes,
  );
  gauge(
    'hyperslab_private_bytes',
    'Of it, what datasets of mode c hold of what was written to them.',
    () => context.files.privateMemory.heldBytes,
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
  gauge(
    'hyperslab_journal_bytes',
    'Bytes that a recovery would have to replay.',
    () => context.files.journals.live.bytes,
  );
  gauge('hyperslab_pre_image_bytes', 'Overwritten bytes that are kept for slow readers.', preImageBytes);
  gauge('hyperslab_tasks_queued', 'Tasks that wait for a worker.', () => context.pool.queued);
  const { counts: tasks } = context.pool;
  labelled(
    'counter',
    'hyperslab_tasks_total',
    ['lane'],
    'Tasks that workers did: what is waited for, and long scans.',
    () => byValue('lane', tasks.done),
  );
  labelled('gauge', 'hyperslab_jobs', ['state'], 'Jobs that are known.', () => byValue('state', context.jobs.counts));
  labelled('counter', 'hyperslab_jobs_ended_total', ['state'], 'Jobs that have ended.', () =>
    byValue('state', context.jobs.endedCounts),
  );
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

  /** Numbers that are counted elsewhere, one for each set of labels. */
  function labelled(
    type: 'gauge' | 'counter',
    name: string,
    labelNames: readonly string[],
    help: string,
    read: () => readonly Labelled[],
  ): void {
    const collect = (): void => {
      made.reset();
      for (const [labels, count] of read()) made.inc(labels, count);
    };
    const Metric = type === 'gauge' ? Gauge : Counter;
    const made: Gauge | Counter = new Metric({ name, help, registers, collect, labelNames: [...labelNames] });
  }

  /** What cannot be read leaves the gauge out. */
  function gauge(name: string, help: string, read: () => number | Promise<number | undefined>): void {
    const collect = async (): Promise<void> => {
      const value = await read();
      if (value === undefined) made.remove();
      else made.set(value);
    };
    const made: Gauge = new Gauge({ name, help, registers, collect });
  }

  /** Asked at most so often: a disk may be slow to answer. */
  async function freeBytes(): Promise<number | undefined> {
    if (performance.now() - disk.askedMs > DISK_ASKED_MS) {
      disk.askedMs = performance.now();
      disk.free = statfs(context.config.dataDir).then(
        ({ bavail, bsize }) => bavail * bsize,
        () => undefined,
      );
    }
    return disk.free;
  }
}

/** Labels and a number. */
type Labelled = readonly [Readonly<Record<string, string>>, number];

function byValue(label: string, counts: Readonly<Record<string, number>>): Labelled[] {
  return Object.entries(counts).map(([value, count]) => [{ [label]: value }, count]);
}

/** Undefined where the kernel does not tell. */
async function anonymousBytes(): Promise<number | undefined> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '');
  const kibibytes = /^RssAnon:\s+(\d+) kB/m.exec(status)?.[1];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
}
