/** A server whose workers read slowly, so that a statistic of a sparse array runs for as long as a test needs it to. */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { create, eventually, MiB } from '../system/calls.js';
import { start, temporaryFolder, type Service, type TestServer } from './server.js';

export interface JobBody {
  readonly id: string;
  readonly state: 'queued' | 'running' | 'done' | 'failed' | 'cancelled';
  readonly progress: {
    readonly chunks: number;
    readonly chunks_total: number;
    readonly bytes: number;
    readonly bytes_total: number;
    readonly bytes_per_second: number | null;
    readonly seconds_left: number | null;
  };
  readonly created: string;
  readonly started: string | null;
  readonly ended: string | null;
  readonly result?: unknown;
  readonly error?: { readonly code: string; readonly status: number };
}

export interface SlowServer extends TestServer {
  /** Reads of all workers so far: 1 MiB each, where so much is left of a chunk. */
  reads(): number;
}

export interface SlowOptions {
  readonly readMs: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly dataDir?: string;
}

/** Two workers. `large` has 256 MiB in 64 chunks, `small` has one chunk of 4 kB; both are float32 zeros. */
export async function startSlow(t: Test, { readMs, env, dataDir }: SlowOptions): Promise<SlowServer> {
  const folder = temporaryFolder();
  const reads = path.join(folder, 'reads');
  fs.writeFileSync(reads, '');
  t.teardown(() => fs.rmSync(folder, { recursive: true }));
  const server = await start(t, {
    ...(dataDir !== undefined && { dataDir }),
    env: {
      HYPERSLAB_MAPPING: 'positional',
      HYPERSLAB_CACHE_BYTES: '0',
      HYPERSLAB_TEST_READ_MS: String(readMs),
      HYPERSLAB_TEST_READS: reads,
      ...env,
    },
    nodeArgs: ['--import', fileURLToPath(new URL('slow-reads.js', import.meta.url))],
  });
  return { ...server, reads: () => fs.statSync(reads).size };
}

export async function createArrays(server: Service): Promise<void> {
  await create(server, { name: 'large', dtype: '<f4', shape: [64 * MiB], sparse: true });
  await create(server, { name: 'small', dtype: '<f4', shape: [1000] });
}

export const ASYNC = { prefer: 'respond-async' };

/** Makes a job of a statistic. @throws when it is not one */
export async function startJob(server: Service, where: string, headers: Record<string, string> = {}): Promise<JobBody> {
  const response = await server.fetch(where, { headers: { ...ASYNC, ...headers } });
  if (response.status !== 202) throw new Error(`no job: ${response.status} ${await response.text()}`);
  return (await response.json()) as JobBody;
}

export const SUM_OF_LARGE = '/v1/datasets/large/statistics?ops=sum';

export async function jobOf(server: Service, id: string, headers: Record<string, string> = {}): Promise<JobBody> {
  return (await (await server.fetch(`/v1/jobs/${id}`, { headers })).json()) as JobBody;
}

/** Waits until a job is in a state. */
export function reaches(server: Service, id: string, state: JobBody['state']): Promise<boolean> {
  return eventually(async () => (await jobOf(server, id)).state === state, 30_000);
}

/** The value of a metric without labels. */
export async function metricOf(server: Service, name: string): Promise<number> {
  return (await metricsOf(server)).get(name) ?? Number.NaN;
}

/** On a connection of its own, which is not kept. */
const ALONE = { headers: { connection: 'close' } };

/** All metrics by name and labels, as they stand in the text. */
export async function metricsOf(server: Service): Promise<ReadonlyMap<string, number>> {
  const lines = (await (await server.fetch('/metrics', ALONE)).text())
    .split('\n')
    .filter(line => !line.startsWith('#'));
  return new Map(
    lines.map(line => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
}

/** Waits until the workers have nothing more to do for a while. Returns the reads until then. */
export async function settledReads(server: SlowServer, quietMs: number): Promise<number> {
  for (let before = -1; before !== server.reads();) {
    before = server.reads();
    // oxlint-disable-next-line no-await-in-loop
    await new Promise(resolve => setTimeout(resolve, quietMs));
  }
  return server.reads();
}
