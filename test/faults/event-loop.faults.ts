/**
 * Every route with the largest input that it takes, while the steps of the event loop are measured: a step that takes
 * long holds up everybody else's answers. A call has several rounds, of which one must do, since the machine has other
 * work. A route of the API document that no call takes fails the test.
 */
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { CALLS as DOCUMENTED, resolved } from '../helpers/api-document.js';
import { npy } from '../helpers/npy.js';
import { seededRandom } from '../helpers/random.js';
import { startServer, temporaryFolder, type TestServer } from '../helpers/server.js';
import { binary, create, GiB, json, KiB, MiB, sparseFile } from '../system/calls.js';
import { PACKAGE_ROOT } from '../../src/package-root.js';
import { figure, inMs, rounds } from './harness.js';

/** The promise is 20 ms. The short form runs on shared machines, which may be slow: it finds steps that grow. */
const STEP_MS_MAX = rounds(60, 20);
const ROUNDS = rounds(5, 10);
const DATASETS = rounds(2500, 20_000);
const DAMAGED = 500;
/** Files of one array. */
const PARTS = rounds(1000, 5000);
/** Of each, so that a page with attrs has many megabytes. */
const ATTRS_BYTES = 32 * KiB;
const JOBS = rounds(100, 300);
/** The beginnings of the names of calls, with bars between them, where not all are to run. */
const ONLY = process.env['HYPERSLAB_TEST_CALLS']?.split('|') ?? [''];
/** As many as a JSON answer holds. */
const VALUES = 256 * KiB;

const dataDir = temporaryFolder();
const steps = path.join(dataDir, 'steps');
const random = seededRandom(5);

/** Of `<f2` in F order: more than a commit takes as the `<f4` that they become. */
const manyRows = npy(`{'descr': '>f2', 'fortran_order': True, 'shape': (${(36 * MiB) / 32}, 16), }`, 36 * MiB);

let server: TestServer;
/** Method and path of each call that is measured. */
const called = new Set<string>();

t.before(async () => {
  makeCatalog();
  fs.writeFileSync(steps, '');
  sparseFile(path.join(dataDir, 'huge.raw'), 64 * GiB, []);
  fs.mkdirSync(path.join(dataDir, 'files'));
  for (let i = 0; i < PARTS; i++) fs.writeFileSync(path.join(dataDir, 'files', `p${i}.raw`), Buffer.alloc(32));
  server = await startServer({
    dataDir,
    nodeArgs: ['--import', fileURLToPath(new URL('../helpers/loop-watch.js', import.meta.url))],
    env: { HYPERSLAB_TEST_STEPS: steps },
  });
  await create(server, { name: 'huge', path: 'huge.raw', dtype: '<f8', shape: [8 * MiB, KiB] });
  await create(server, { name: 'files', path: 'files/p*.raw', dtype: '<i4', shape: [null, 4] });
  await create(server, { name: 'values', dtype: '<f8', shape: [VALUES] });
  await create(server, { name: 'grows', dtype: '<f4', shape: [0, 16] });
  await create(server, { name: 'zeros', dtype: '<f4', shape: [1] });
  await create(server, { name: 'filled', dtype: '<f4', shape: [1], fill: 1.5 });
  await create(server, { name: 'rows', dtype: '<f4', shape: [20_000, 16] });
  await create(server, { name: 'wide', dtype: '<i4', shape: [4 * MiB] });
  const values = Float64Array.from({ length: VALUES }, () => random.next());
  await answered('/v1/datasets/values/data', binary('PUT', Buffer.from(values.buffer)));
  const wide = Int32Array.from({ length: 4 * MiB }, (_, i) => i % 1_000_000);
  await answered('/v1/datasets/wide/data', binary('PUT', Buffer.from(wide.buffer)));
  await create(server, { name: 'long', dtype: '<i8', shape: [MiB] });
  await create(server, { name: 'codes', dtype: '<i4', shape: [400_000] });
  await answered('/v1/datasets/codes/data', binary('PUT', Buffer.from(wide.buffer, 0, 4 * 400_000)));
  await create(server, { name: 'table', dtype: '<f8', shape: [2000, 100] });
  await create(server, { name: 'cells', dtype: '<f4', shape: [1_000_000, 4] });
  called.clear();
});

t.teardown(async () => {
  await server.stop();
  fs.rmSync(dataDir, { recursive: true });
});

/** Datasets on one file, and manifests that cannot be used. */
function makeCatalog(): void {
  for (const room of ['arrays', 'catalog']) fs.mkdirSync(path.join(dataDir, room));
  fs.writeFileSync(path.join(dataDir, 'arrays', 'shared.raw'), Buffer.alloc(16));
  const text = 'x'.repeat(ATTRS_BYTES);
  for (let i = 0; i < DATASETS; i++) {
    const name = `many-${String(i).padStart(5, '0')}`;
    const manifest = {
      version: 1,
      name,
      id: String(i).padStart(24, '0'),
      file_id: 'f'.repeat(24),
      path: 'arrays/shared.raw',
      dtype: '<f4',
      shape: [2, 2],
      order: 'C',
      offset: 0,
      mode: 'r',
      format: 'raw',
      external: true,
      attrs: i < 1000 ? { text } : {},
      dims: ['y', 'x'],
    };
    fs.writeFileSync(path.join(dataDir, 'catalog', `${name}.json`), JSON.stringify(manifest));
  }
  for (let i = 0; i < DAMAGED; i++) fs.writeFileSync(path.join(dataDir, 'catalog', `damaged-${i}.json`), '{');
}

function fetched(where: string, init?: RequestInit): Promise<Response> {
  called.add(`${(init?.method ?? 'GET').toLowerCase()} ${where.split('?', 1)[0]!}`);
  return server.fetch(where, init);
}

/** The whole answer of a call that must succeed. */
async function answered(where: string, init?: RequestInit): Promise<ArrayBuffer> {
  const response = await fetched(where, init);
  const body = await response.arrayBuffer();
  if (response.status >= 400) {
    throw new Error(`${where.slice(0, 80)}: ${response.status} ${Buffer.from(body.slice(0, 300)).toString()}`);
  }
  return body;
}

/** The longest step of the event loop between two times. */
function longestStepMs(fromMs: number, untilMs: number): number {
  const lines = fs.readFileSync(steps, 'utf8').split('\n').slice(0, -1);
  const within = lines.map(line => line.split(' ').map(Number)).filter(([at]) => at! >= fromMs && at! <= untilMs);
  return Math.max(0, ...within.map(([, took]) => took!));
}

const query = (parameters: Readonly<Record<string, string>>): string => new URLSearchParams(parameters).toString();
const statistics = (name: string, body: unknown): Promise<unknown> =>
  answered(`/v1/datasets/${name}/statistics`, json('POST', body));
const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i / count);
/** As long as a JSON body of values may be. */
const jsonValues = JSON.stringify(Array.from({ length: VALUES }, () => Math.round(random.next() * 1e9) / 1e9));

/** As many as one stream takes. */
const FOLLOWED = Array.from({ length: 100 }, (_, i) => `many-${String(i).padStart(5, '0')}`).join();

/** The beginning of a stream that goes on. */
async function firstOf(where: string): Promise<void> {
  const response = await fetched(where);
  if (response.status !== 200) throw new Error(`${where.slice(0, 80)}: ${response.status}`);
  const reader = response.body!.getReader();
  await reader.read();
  await reader.cancel();
}

interface Call {
  readonly name: string;
  readonly run: (round: number) => Promise<unknown>;
}

const CALLS: readonly Call[] = [
  { name: 'a page of 1,000 datasets', run: () => answered(`/v1/datasets?limit=1000&prefix=many-01`) },
  { name: 'with attrs, 32 MiB', run: () => answered('/v1/datasets?limit=1000&prefix=many&fields=name,attrs') },
  { name: 'by their files', run: () => answered('/v1/datasets?limit=1000&prefix=many&fields=name,state&state=true') },
  { name: 'those of a part of the name', run: () => answered('/v1/datasets?q=zz') },
  { name: 'those that are quarantined', run: () => answered('/v1/datasets?limit=1000&state=quarantined') },
  { name: 'readiness', run: () => answered('/readyz') },
  { name: 'metrics', run: () => answered('/metrics') },
  { name: 'the API document', run: () => answered('/openapi.json') },
  { name: 'the page of the API document', run: () => answered('/docs/static/swagger-ui-bundle.js') },
  { name: 'pages in memory of 64 GiB', run: () => answered('/v1/datasets/huge?residency=true') },
  {
    name: 'attrs of 64 KB',
    run: round =>
      answered(
        '/v1/datasets/many-02000',
        json('PATCH', { attrs: { members: numbers(5000), round, many: manyMembers } }),
      ),
  },
  {
    name: 'many files as one array',
    run: async round => {
      const name = `joined-${round}`;
      const asked = { name, path: 'files/p*.raw', dtype: '<i4', shape: [null, 4] };
      await answered('/v1/datasets', json('POST', asked));
      await answered(`/v1/datasets/${name}`, json('PATCH', { path: asked.path }));
      await answered(`/v1/datasets/${name}`, { method: 'DELETE' });
    },
  },
  { name: 'the files of an array', run: () => answered('/v1/datasets/files?parts=true') },
  { name: 'rows of many files', run: () => answered('/v1/datasets/files/data?format=raw') },
  { name: 'a statistic of many files', run: () => answered('/v1/datasets/files/statistics?ops=median') },
  { name: 'values as JSON', run: () => answered('/v1/datasets/values/data') },
  { name: 'values with exact text', run: () => answered('/v1/datasets/values/data?int64=string') },
  {
    name: 'a JSON body of values',
    run: () => answered('/v1/datasets/values/data', json('PUT', JSON.parse(jsonValues))),
  },
  { name: 'values as npy', run: () => answered('/v1/datasets/wide/data?format=npy') },
  { name: 'values against the order', run: () => answered('/v1/datasets/wide/data?format=raw&slice=::-1') },
  {
    name: 'a write of 16 MiB',
    run: () => answered('/v1/datasets/wide/data', binary('PUT', Buffer.alloc(16 * MiB, 1))),
  },
  {
    name: 'rows that are appended',
    run: () => answered('/v1/datasets/grows/append', binary('POST', Buffer.alloc(16 * MiB))),
  },
  ...(['zeros', 'filled'] as const).map(name => ({
    name: `a resize by 256 MiB of ${name}, and back`,
    run: async () => {
      await answered(`/v1/datasets/${name}/resize`, json('POST', { shape: [64 * MiB] }));
      await answered(`/v1/datasets/${name}/resize`, json('POST', { shape: [1] }));
    },
  })),
  {
    name: 'rows beyond the commit limit',
    run: () => answered('/v1/datasets/grows/append', binary('POST', Buffer.alloc(80 * MiB))),
  },
  {
    name: 'rows of another dtype and order beyond the commit limit',
    run: () => answered('/v1/datasets/grows/append', binary('POST', manyRows, 'application/x-npy')),
  },
  {
    name: 'a write of every second',
    run: () => answered('/v1/datasets/wide/data?slice=::2', binary('PUT', Buffer.alloc(8 * MiB, 1))),
  },
  {
    name: '10,000 slices in one commit',
    run: () =>
      answered(
        '/v1/datasets/rows/writes',
        json('POST', { writes: Array.from({ length: 10_000 }, (_, i) => ({ slice: `${2 * i}`, data: i })) }),
      ),
  },
  ...(['r', 'r+'] as const).flatMap((mode, i) =>
    [64, 1024].map(size => ({
      name: `the first strided statistics and reads of ${size} GiB, mode ${mode}`,
      run: (round: number) => firstReads(`first-${size}-${i}-${round}`, size * GiB, mode),
    })),
  ),
  { name: 'a strided statistic of 64 GiB', run: () => statistics('huge', { ops: ['sum'], slice: '::4096,:64' }) },
  { name: 'a whole statistic of 1 GiB', run: () => statistics('huge', { ops: ['sum'], slice: `:${128 * KiB}` }) },
  {
    name: 'a filter of 50,000 values',
    run: round => statistics('wide', { ops: ['count'], where: { self: true, in: codes(round) } }),
  },
  {
    name: 'a filter of eight lists',
    run: round =>
      statistics('wide', {
        ops: ['count'],
        where: { or: [1, 2, 3, 4, 5, 6, 7, 8].map(i => ({ self: true, in: codes(round + i).slice(0, 15_000) })) },
      }),
  },
  {
    name: 'a filter of 45,000 values of 17 digits',
    run: round => answered('/v1/datasets/long/statistics', longFilter('POST', round)),
  },
  {
    name: 'a job with such a filter',
    run: round =>
      answered('/v1/datasets/long/statistics', {
        ...longFilter('POST', 10 + round),
        headers: { 'content-type': 'application/json', prefer: 'respond-async, wait=30' },
      }),
  },
  {
    name: 'a filter of the values of a dataset of another dtype',
    run: round =>
      statistics('values', {
        ops: ['count'],
        slice: `:${VALUES - 1 - round}`,
        where: { self: true, in: { dataset: 'codes' } },
      }),
  },
  {
    name: 'a filter of the values of a dataset',
    run: round =>
      statistics('wide', {
        ops: ['count'],
        slice: `:${4 * MiB - round}`,
        where: { self: true, in: { dataset: 'codes' } },
      }),
  },
  {
    name: 'a filter of 255 parts',
    run: () =>
      statistics('rows', {
        ops: ['count'],
        where: { or: Array.from({ length: 255 }, (_, i) => ({ column: i % 16, gt: i })) },
      }),
  },
  {
    name: 'groups, as many as JSON holds',
    run: round => statistics('wide', { ops: ['sum'], slice: `${round}:${60_000 + round}`, group_by: { self: true } }),
  },
  { name: 'a million groups of no answer', run: () => refused('wide', { ops: ['sum'], group_by: { self: true } }) },
  {
    name: 'bins of a key',
    run: round =>
      statistics('values', { ops: ['count'], slice: `${round}:`, group_by: { self: true, bins: numbers(50_000) } }),
  },
  {
    name: 'bins of two keys',
    run: round =>
      statistics('rows', {
        ops: ['count'],
        slice: `${round}:`,
        group_by: [0, 1].map(column => ({ column, bins: Array.from({ length: 60_000 }, (_, i) => i) })),
      }),
  },
  {
    name: '1,000 quantiles',
    run: round => statistics('values', { ops: [{ quantile: { q: numbers(1000) } }], slice: `${round}:` }),
  },
  {
    name: '1,000 quantiles of 100 columns',
    run: round => statistics('table', { ops: [{ quantile: { q: numbers(1000) } }], axis: 0, slice: `${round}:` }),
  },
  {
    name: '131,000 bins',
    run: round => statistics('values', { ops: [{ histogram: { bins: 131_000 } }], slice: `${round}:` }),
  },
  {
    name: '60,000 edges',
    run: round => statistics('values', { ops: [{ histogram: { edges: numbers(60_000) } }], slice: `${round}:` }),
  },
  {
    name: '262,144 bins',
    run: round =>
      answered(
        `/v1/datasets/values/statistics?${query({ ops: 'histogram', bins: '262144', format: 'npy', slice: `${round}:` })}`,
      ),
  },
  {
    name: 'an answer of 130,000 cells',
    run: round => statistics('cells', { ops: ['mean'], axis: 1, slice: `${round}:130000` }),
  },
  {
    name: 'an array of a million cells',
    run: round =>
      answered(`/v1/datasets/cells/statistics?${query({ ops: 'std', axis: '1', format: 'npy', slice: `${round}:` })}`),
  },
  {
    name: '1,000 questions',
    run: round =>
      answered(
        '/v1/statistics',
        json('POST', {
          queries: Array.from({ length: 1000 }, (_, i) => ({
            dataset: 'rows',
            ops: ['sum', 'std'],
            slice: `${i}:${i + 100 + round}`,
          })),
        }),
      ),
  },
  {
    name: '1,000 questions that fail',
    run: () =>
      answered(
        '/v1/statistics',
        json('POST', { queries: Array.from({ length: 1000 }, () => ({ dataset: 'none', ops: ['sum'] })) }),
      ),
  },
  { name: 'events of a dataset', run: () => firstOf('/v1/datasets/rows/events') },
  { name: 'events of a hundred datasets', run: () => firstOf(`/v1/events?datasets=${FOLLOWED}`) },
  { name: 'jobs, of which fifty come at once', run: makeJobs },
  { name: 'a page of jobs', run: () => answered('/v1/jobs?limit=1000') },
  { name: 'jobs that are forgotten', run: forgetJobs },
  {
    name: 'a body that is no JSON',
    run: () => fetched('/v1/datasets', { ...json('POST', 0), body: `[${'1,'.repeat(500_000)}` }).then(r => r.text()),
  },
  {
    name: 'a body of many members',
    run: () =>
      fetched(
        '/v1/datasets',
        json('POST', {
          name: 'a',
          dtype: 'f4',
          shape: [1],
          attrs: Object.fromEntries(Array.from({ length: 60_000 }, (_, i) => [`k${i}`, i])),
        }),
      ).then(r => r.text()),
  },
  {
    name: 'a body of the wrong kind',
    run: () => fetched('/v1/datasets', json('POST', { name: 'a', shape: numbers(100_000) })).then(r => r.text()),
  },
  {
    name: 'a body of 500,000 numbers',
    run: () =>
      fetched('/v1/datasets/wide/statistics', {
        ...json('POST', 0),
        body: `{"ops":["sum"],"where":{"self":true,"in":[${'1,'.repeat(500_000)}1]}}`,
      }).then(r => r.text()),
  },
  {
    name: 'a body of 100,000 texts',
    run: () =>
      refused('wide', { ops: ['sum'], where: { self: true, in: Array.from({ length: 100_000 }, (_, i) => `${i}`) } }),
  },
  {
    name: 'a body of 300,000 objects',
    run: () =>
      fetched('/v1/statistics', { ...json('POST', 0), body: `{"queries":[${'{},'.repeat(300_000)}{}]}` }).then(r =>
        r.text(),
      ),
  },
  {
    name: 'a body of brackets',
    run: () => fetched('/v1/jobs', { ...json('POST', 0), body: '['.repeat(MiB - 1) }).then(r => r.text()),
  },
  { name: 'long texts in each parameter', run: longParameters },
  { name: 'long texts in a body', run: longMembers },
  { name: 'the page', run: () => answered('/', { headers: { accept: 'text/html' } }) },
  { name: 'all datasets as a Zarr store, with attrs', run: () => answered('/zarr/zarr.json') },
  { name: 'the same in version 2', run: () => answered('/zarr2/.zmetadata') },
  {
    name: 'a Zarr array, and chunks of all kinds',
    run: async (): Promise<void> => {
      for (const key of ['huge/zarr.json', 'huge/c/0/0', 'huge/c/65535/0', 'wide/c/0', 'cells/c/15/0', 'table/c/0/0'])
        // oxlint-disable-next-line no-await-in-loop
        await answered(`/zarr/${key}`);
      for (const key of ['huge/.zarray', 'huge/.zattrs', 'huge/77.0', 'long/0'])
        // oxlint-disable-next-line no-await-in-loop
        await answered(`/zarr2/${key}`);
    },
  },
  { name: 'health', run: () => answered('/healthz') },
  { name: 'a dataset that comes, is filled anew and goes', run: comeAndGo },
  { name: 'rows', run: () => answered('/v1/datasets/table/rows?stop=2000') },
  { name: 'a row', run: () => answered('/v1/datasets/table/rows/3') },
  ...(['json', 'raw', 'npy'] as const).map(format => ({
    name: `values, read and written as ${format}`,
    run: async (): Promise<void> => {
      const where = `/v1/datasets/values/data.${format}`;
      const body = await answered(where);
      const type = { json: 'application/json', raw: 'application/octet-stream', npy: 'application/x-npy' }[format];
      await answered(where, binary('PUT', format === 'json' ? Buffer.from(jsonValues) : Buffer.from(body), type));
    },
  })),
  ...(
    [
      ['csv', 'text/csv'],
      ['ndjson', 'application/x-ndjson'],
      ['arrow', 'application/vnd.apache.arrow.stream'],
      ['npz', 'application/x-npz'],
    ] as const
  ).map(([format, type]) => ({
    name: `a million values taken as ${format}`,
    run: async (round: number): Promise<void> => {
      const body = Buffer.from(await answered(`/v1/datasets/cells/data.${format}?slice=:250000`));
      await answered(`/v1/datasets/cells/data.${format}?slice=:250000`, binary('PUT', body, type));
      await answered(`/v1/datasets/taken-${round}?overwrite=true`, binary('PUT', body, type));
      await answered(`/v1/datasets/taken-${round}?data=delete`, { method: 'DELETE' });
    },
  })),
  ...['csv', 'ndjson', 'arrow', 'parquet', 'npz'].map(format => ({
    name: `a million values as ${format}`,
    run: () => answered(`/v1/datasets/cells/data.${format}?slice=:250000`),
  })),
  { name: 'a picture of a million rows', run: () => answered('/v1/datasets/cells/data.png?limits=1%,99%') },
  { name: 'a picture as it is', run: () => answered('/v1/datasets/table/data.png') },
  ...['raw', 'npy'].map(format => ({
    name: `a statistic of a million cells as ${format}`,
    run: async (round: number): Promise<void> => {
      const where = `/v1/datasets/cells/statistics.${format}`;
      await answered(`${where}?${query({ ops: 'max', axis: '1', slice: `${10 + round}:` })}`);
      await answered(where, json('POST', { ops: ['min'], axis: 1, slice: `${10 + round}:` }));
    },
  })),
  { name: 'a job from its start to its end', run: oneJob },
];

/** What patterns that go back and forth over a text would take long for. */
const LONG_TEXTS = [' ', '0', '-', ',', ':', '...,', '1e', '. ', 'a=b;', '"', '[', '/*,', '%'];
/** Below the limit of a request line. */
const PARAMETER_BYTES = 15_000;

async function longParameters(): Promise<void> {
  for (const { method, url, operation } of DOCUMENTED) {
    const where = url.replace('{name}', 'table').replace('{row}', '0').replace('{id}', 'x');
    for (const parameter of operation.parameters ?? []) {
      const { name, in: place } = resolved(parameter);
      for (const text of place === 'query' ? LONG_TEXTS : []) {
        // The shortest way, so that the text is as long as it can be.
        const unit = text === ' ' ? '+' : encodeURIComponent(text);
        const value = `1${unit.repeat(PARAMETER_BYTES / unit.length)}x`;
        // oxlint-disable-next-line no-await-in-loop
        await (await server.fetch(`${where}?${name}=${value}`, { method })).text();
      }
    }
  }
}

async function longMembers(): Promise<void> {
  for (const unit of LONG_TEXTS) {
    const text = unit.repeat(500_000 / unit.length);
    const slices = Array.from({ length: 100 }, () => text.slice(0, 8150));
    const bodies: readonly (readonly [where: string, body: object])[] = [
      ['/v1/datasets', { name: text, dtype: 'f4', shape: [1] }],
      ['/v1/datasets', { name: 'long', dtype: text, shape: [1] }],
      ['/v1/datasets', { name: 'long', path: text }],
      ['/v1/datasets', { name: 'long', dtype: 'f4', shape: [1], fill: text }],
      ['/v1/datasets/table/statistics', { ops: [text] }],
      ['/v1/datasets/table/statistics', { ops: ['mean'], axis: text, slice: text }],
      ['/v1/datasets/table/statistics', { ops: ['mean'], where: { column: 0, in: [text] } }],
      ['/v1/datasets/table/writes', { writes: slices.map(slice => ({ slice, data: 1 })) }],
      ['/v1/statistics', { queries: slices.map(slice => ({ dataset: 'table', ops: ['mean'], slice })) }],
    ];
    for (const [where, body] of bodies) {
      // oxlint-disable-next-line no-await-in-loop
      await (await server.fetch(where, json('POST', body))).text();
    }
  }
}

async function comeAndGo(round: number): Promise<void> {
  const name = `guest-${round}`;
  await answered('/v1/datasets', json('POST', { name, dtype: '<f8', shape: [2 * MiB], attrs: { many: manyMembers } }));
  const bytes = Buffer.from(await answered('/v1/datasets/wide/data?format=npy'));
  await answered(`/v1/datasets/${name}/flush`, { method: 'POST' });
  await (await fetched(`/v1/datasets/${name}/discard`, { method: 'POST' })).text();
  const rows = Array.from({ length: 10_000 }, (_, i) => (i * 7919) % (2 * MiB));
  await answered(`/v1/datasets/${name}/select?format=raw`, json('POST', { index: [rows] }));
  await answered('/v1/select', json('POST', { reads: [{ dataset: name, slice: '0:1000' }] }));
  await answered(`/v1/datasets/${name}?data=delete`, { method: 'DELETE' });
  await answered(`/v1/datasets/${name}`, binary('PUT', bytes, 'application/x-npy'));
  await answered(`/v1/datasets/${name}?data=delete`, { method: 'DELETE' });
}

/** Elements that are far apart, in a file of which nothing was mapped before; it ends under the same name. */
async function firstReads(name: string, bytes: number, mode: string): Promise<void> {
  sparseFile(path.join(dataDir, `${name}.raw`), bytes, []);
  for (const [i, { order, shape }] of [
    { order: 'C', shape: [bytes / 8] },
    { order: 'F', shape: [bytes / (8 * KiB), KiB] },
  ].entries()) {
    await create(server, {
      name: `${name}-${i}`,
      path: `${name}.raw`,
      dtype: '<f8',
      mode: i === 0 ? mode : 'r',
      order,
      shape,
    });
    const slice = shape.length === 1 ? `::${shape[0]! / 4096}` : `::${shape[0]! / 8},::64`;
    await statistics(`${name}-${i}`, { ops: ['sum', 'median'], slice });
    await statistics(`${name}-${i}`, { ops: ['max'], slice, axis: 0 });
    await answered(`/v1/datasets/${name}-${i}/data?format=raw&slice=${slice}`);
    await answered(`/v1/datasets/${name}-${i}/rows?format=raw&stop=2`);
  }
  for (const i of [1, 0]) await answered(`/v1/datasets/${name}-${i}`, { method: 'DELETE' });
  fs.rmSync(path.join(dataDir, `${name}.raw`));
}

async function oneJob(round: number): Promise<void> {
  const order = { dataset: 'values', ops: [{ histogram: { bins: 100_000 } }], slice: `${100 + round}:` };
  const { id } = JSON.parse(Buffer.from(await answered('/v1/jobs', json('POST', order))).toString()) as { id: string };
  await answered(`/v1/jobs/${id}/events`);
  await answered(`/v1/jobs/${id}`);
}

/** As text: JSON.stringify has no numbers of so many digits. */
function longFilter(method: string, round: number): RequestInit {
  const values = Array.from({ length: 45_000 }, (_, i) => String(10n ** 16n + 7n * BigInt(i + round)));
  return { ...json(method, 0), body: `{"ops":["count"],"where":{"self":true,"in":[${values.join(',')}]}}` };
}

const manyMembers = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`member ${i}`, i]));

function codes(round: number): number[] {
  return Array.from({ length: 50_000 }, (_, i) => 7 * i + round);
}

async function refused(name: string, body: unknown): Promise<void> {
  await (await fetched(`/v1/datasets/${name}/statistics`, json('POST', body))).arrayBuffer();
}

async function makeJobs(): Promise<void> {
  for (let i = 0; i < JOBS / 50; i++) {
    await Promise.all(
      Array.from({ length: 50 }, (_, j) =>
        answered('/v1/datasets/values/statistics', {
          ...json('POST', { ops: [{ histogram: { bins: 5000 } }], slice: `${50 * i + j}:` }),
          headers: { 'content-type': 'application/json', prefer: 'respond-async' },
        }),
      ),
    );
    while (Buffer.from(await answered('/v1/jobs?limit=1000')).includes('"queued"')) await sleep(20);
  }
}

async function forgetJobs(): Promise<void> {
  const { jobs } = JSON.parse(Buffer.from(await answered('/v1/jobs?limit=100')).toString()) as {
    jobs: { id: string }[];
  };
  await Promise.all(jobs.map(({ id }) => answered(`/v1/jobs/${id}`, { method: 'DELETE' })));
}

t.test('no step of the event loop takes long', async t => {
  for (const { name, run } of CALLS.filter(call => ONLY.some(each => call.name.startsWith(each)))) {
    const longest: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const fromMs = Date.now();
      await run(round).catch((error: unknown) => t.fail(`${name}: ${String(error)}`));
      await sleep(5);
      longest.push(longestStepMs(fromMs, Date.now()));
      if (longest.at(-1)! <= STEP_MS_MAX) break;
    }
    const best = Math.min(...longest);
    t.ok(best <= STEP_MS_MAX, `${name}: ${inMs(best)}, of ${longest.map(inMs).join(', ')}`);
    figure(t, name, inMs(best));
  }
});

t.test('every route of the API document is among the calls', async t => {
  const { paths } = JSON.parse(fs.readFileSync(path.join(PACKAGE_ROOT, 'openapi', 'openapi.json'), 'utf8')) as {
    paths: Record<string, object>;
  };
  for (const [template, methods] of Object.entries(paths)) {
    const pattern = template.replaceAll('.', '[.]').replaceAll(/\{\w+\}/g, '[^/]+');
    for (const method of Object.keys(methods)) {
      const isCalled = [...called].some(each => new RegExp(`^${method} ${pattern}$`).test(each));
      t.ok(isCalled, `${method} ${template}`);
    }
  }
});
