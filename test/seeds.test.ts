/**
 * What people do with numpy.memmap, done through the service: make, write, flush, reopen, read, average in parallel,
 * copy. The expectations are numpy's (test/fixtures/seeds.py makes them), and numpy looks on where it is at hand.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import t, { type Test } from 'tap';
import { NO_NUMPY, PYTHON, pythonProgram, runPython } from './helpers/python.js';
import { temporaryFolder } from './helpers/server.js';
import { startServiceHere, type ServiceHere } from './helpers/service-here.js';

interface Expected {
  readonly matrix: { sha256: string; row0_sha256: string; block_sha256: string; block_corner: number[][] };
  readonly written: { sha256: string; mean: number; range_means: number[] };
  readonly series: { sha256: string; mean: number[]; std: number[] };
}

const EXPECTED = JSON.parse(fs.readFileSync('test/fixtures/seeds.json', 'utf8')) as Expected;

const JSON_BODY = { 'content-type': 'application/json' };
const RAW_BODY = { 'content-type': 'application/octet-stream' };
const HASH = 2654435761;
const [ROWS, COLUMNS] = [10_000, 1_000];
const WORKERS = { HYPERSLAB_WORKERS: '2' };

t.test('an array is made, written, flushed, reopened, read, changed and averaged', async t => {
  const dataDir = folder(t);
  const first = await startServiceHere({ dataDir, env: WORKERS });
  t.teardown(() => first.stop());
  const made = await post(first, '/v1/datasets', {
    name: 'matrix',
    dtype: 'float32',
    shape: [ROWS, COLUMNS],
    mode: 'w+',
  });
  t.equal(made.status, 201);
  t.equal(made.headers.get('location'), 'datasets/matrix');
  t.match(await made.json(), { dtype: '<f4', shape: [ROWS, COLUMNS], mode: 'w+', nbytes: 4e7, external: false });

  const data = matrix();
  const put = await first.fetch('/v1/datasets/matrix/data', { method: 'PUT', headers: RAW_BODY, body: data });
  const written = (await put.json()) as { generation: number };
  t.equal(put.status, 200);
  t.match(written, { dataset: 'matrix', elements: 1e7, bytes: 4e7, durability: 'commit' });
  t.equal((await post(first, '/v1/datasets/matrix/flush')).status, 200);
  await first.stop();

  const server = await startServiceHere({ dataDir, env: WORKERS });
  t.teardown(() => server.stop());
  const again = (await (await server.fetch('/v1/datasets/matrix')).json()) as { generation: number; offset: number };
  t.match(again, { dtype: '<f4', shape: [ROWS, COLUMNS], state: 'ready', generation: written.generation });
  t.equal(sha256(await bytesAt(server, '/v1/datasets/matrix/data?format=raw')), EXPECTED.matrix.sha256);

  const row = (await (await server.fetch('/v1/datasets/matrix/rows/0')).json()) as { shape: number[]; data: number[] };
  t.strictSame(row.shape, [COLUMNS]);
  t.strictSame(row.data.map(Math.fround), [...floats(data).subarray(0, COLUMNS)]);
  t.equal(sha256(await bytesAt(server, '/v1/datasets/matrix/rows/0?format=raw')), EXPECTED.matrix.row0_sha256);
  const block = await bytesAt(server, '/v1/datasets/matrix/data?slice=100:200,50:100&format=raw');
  t.equal(block.length, 100 * 50 * 4);
  t.equal(sha256(block), EXPECTED.matrix.block_sha256);
  const corner = await server.fetch('/v1/datasets/matrix/data?slice=100:102,50:53');
  const { data: nested } = (await corner.json()) as { data: number[][] };
  t.strictSame(
    nested.map(each => each.map(Math.fround)),
    EXPECTED.matrix.block_corner,
  );

  await t.test('m[0] = 1.0 and flush are seen by programs that have the file open', async t => {
    const file = path.join(dataDir, 'arrays', 'matrix.npy');
    const reader = await companion(t, process.execPath, ['-e', READER, file, String(again.offset)]);
    const numpy =
      PYTHON === undefined ? undefined : await companion(t, PYTHON, [pythonProgram('seeds_memmap.py'), 'watch', file]);
    t.not(await reader.ask(), 'true', 'row 0 is not yet all ones');
    if (numpy) t.not(await numpy.ask(), 'True');

    const one = await server.fetch('/v1/datasets/matrix/data?slice=0', {
      method: 'PUT',
      headers: JSON_BODY,
      body: '1.0',
    });
    t.match([one.status, await one.json()], [200, { elements: COLUMNS, generation: written.generation + 1 }]);
    t.equal((await post(server, '/v1/datasets/matrix/flush')).status, 200);

    t.equal(await reader.ask(), 'true', 'a process that had opened it before');
    if (numpy) t.equal(await numpy.ask(), 'True', 'numpy, through the memmap that it had before');
    else t.comment(NO_NUMPY);
    const bytes = fs.readFileSync(file).subarray(again.offset);
    t.equal(sha256(bytes), EXPECTED.written.sha256, 'and nothing else changed');
  });

  await t.test('the mean of everything is numpy’s', async t => {
    const answer = await server.fetch('/v1/datasets/matrix/statistics?ops=mean');
    const body = (await answer.json()) as { count: number; results: { mean: number }; scanned_bytes: number };
    t.match(body, { dataset: 'matrix', generation: written.generation + 1, count: 1e7, scanned_bytes: 4e7 });
    t.ok(isClose(body.results.mean, EXPECTED.written.mean), String(body.results.mean));
    if (PYTHON === undefined) return;
    const live = runPython('seeds_memmap.py', ['mean', path.join(dataDir, 'arrays', 'matrix.npy')]);
    t.ok(isClose(body.results.mean, Number(live)), live);
  });

  await t.test('ten ranges of rows are averaged in parallel, each told as it finishes', async t => {
    const queries = EXPECTED.written.range_means.map((_, i) => ({
      dataset: 'matrix',
      ops: ['mean'],
      slice: `${i * 1000}:${(i + 1) * 1000}`,
    }));
    const answer = await post(server, '/v1/statistics', { queries, order: 'finished' });
    t.match(answer.headers.get('content-type'), /^application\/x-ndjson/);
    const lines = (await answer.text())
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as { index: number; count: number; results: { mean: number } });
    t.strictSame(
      lines.map(line => line.index).sort((a, b) => a - b),
      queries.map((_, i) => i),
    );
    for (const { index, count, results } of lines) {
      t.equal(count, 1e6);
      t.ok(isClose(results.mean, EXPECTED.written.range_means[index]!), `rows of query ${index}: ${results.mean}`);
    }
  });

  await t.test(
    'the folder, copied while it is served and flushed, is served elsewhere with the same bytes',
    async t => {
      const copy = folder(t);
      await fs.promises.cp(dataDir, copy, { recursive: true });
      await serveCopy(t, copy, generation => t.ok(generation >= written.generation + 1, 'no generation comes again'));
    },
  );

  await t.test('the folder, copied after the service stopped, continues its generations', async t => {
    await server.stop();
    const copy = folder(t);
    await fs.promises.cp(dataDir, copy, { recursive: true });
    await serveCopy(t, copy, generation => t.equal(generation, written.generation + 1));
    const original = fs.readFileSync(path.join(dataDir, 'arrays', 'matrix.npy'));
    t.equal(sha256(original.subarray(again.offset)), EXPECTED.written.sha256, 'the original is another file');
  });
});

t.test('the spread of each column of a time series in a file', async t => {
  const root = folder(t);
  const bytes = series();
  t.equal(sha256(bytes), EXPECTED.series.sha256);
  fs.writeFileSync(path.join(root, 'series.bin'), bytes);
  const server = await startServiceHere({ dataDir: folder(t), env: { ...WORKERS, HYPERSLAB_ROOTS: root } });
  t.teardown(() => server.stop());
  const registered = await post(server, '/v1/datasets', {
    name: 'series',
    path: 'series.bin',
    dtype: 'float64',
    shape: [1_000_000, 10],
    mode: 'r',
  });
  t.equal(registered.status, 201);
  t.match(await registered.json(), { mode: 'r', external: true, offset: 0, nbytes: 8e7 });
  const answer = await server.fetch('/v1/datasets/series/statistics?ops=std,mean&axis=0');
  const { results } = (await answer.json()) as { results: { std: number[]; mean: number[] } };
  const exact = exactSpread();
  t.equal(results.std.length, 10);
  for (const [column, { mean, std }] of exact.entries()) {
    t.ok(isClose(EXPECTED.series.std[column]!, std), `numpy is right about column ${column}`);
    t.ok(isClose(results.std[column]!, std), `std of column ${column}: ${results.std[column]}, exactly ${std}`);
    t.ok(isClose(results.mean[column]!, mean), `mean of column ${column}: ${results.mean[column]}, exactly ${mean}`);
  }
  const sample = await post(server, '/v1/datasets/series/statistics', { ops: ['std'], axis: [0], ddof: 1 });
  const { results: unbiased } = (await sample.json()) as { results: { std: number[] } };
  t.ok(unbiased.std.every((std, column) => isClose(std, exact[column]!.std * Math.sqrt(1e6 / (1e6 - 1)))));
});

t.test('files are opened as numpy.memmap opens them', async t => {
  const root = folder(t);
  const server = await startServiceHere({ dataDir: folder(t), env: { ...WORKERS, HYPERSLAB_ROOTS: root } });
  t.teardown(() => server.stop());
  const values = Float64Array.from({ length: 12 }, (_, i) => i + 0.5);
  const array = Buffer.from(values.buffer);
  const dataAt = (name: string) => async (): Promise<unknown> =>
    ((await (await server.fetch(`/v1/datasets/${name}/data`)).json()) as { data: unknown }).data;

  await t.test('r+ with a shape larger than the file is refused, and the file does not grow', async t => {
    fs.writeFileSync(path.join(root, 'short.bin'), array);
    const body = { name: 'short', path: 'short.bin', dtype: 'float64', shape: [13], mode: 'r+' };
    const answer = await post(server, '/v1/datasets', body);
    t.match([answer.status, await answer.json()], [422, { code: 'file_too_small', size: 96, needed: 104 }]);
    t.equal(fs.statSync(path.join(root, 'short.bin')).size, 96);
    t.equal((await server.fetch('/v1/datasets/short')).status, 404);
  });

  await t.test('an offset need not be aligned to anything', async t => {
    const file = path.join(root, 'offset.bin');
    const head = Buffer.alloc(4099, 7);
    fs.writeFileSync(file, Buffer.concat([head, array, Buffer.of(9)]));
    const body = { name: 'offset', path: 'offset.bin', dtype: 'float64', shape: [3, 4], mode: 'r+', offset: 4099 };
    t.equal((await post(server, '/v1/datasets', body)).status, 201);
    t.strictSame(
      await dataAt('offset')(),
      [0, 4, 8].map(row => Array.from(values.subarray(row, row + 4))),
    );
    const put = await server.fetch('/v1/datasets/offset/data?slice=1,::2', {
      method: 'PUT',
      headers: JSON_BODY,
      body: '[-1,-2]',
    });
    t.equal(put.status, 200);
    const changed = Float64Array.from(values);
    changed[4] = -1;
    changed[6] = -2;
    const wanted = Buffer.concat([head, Buffer.from(changed.buffer), Buffer.of(9)]);
    t.ok(fs.readFileSync(file).equals(wanted), 'a write changes its elements and no byte around them');
  });

  await t.test('F order reads column by column', async t => {
    fs.writeFileSync(path.join(root, 'fortran.bin'), array);
    const body = { name: 'fortran', path: 'fortran.bin', dtype: 'float64', shape: [3, 4], order: 'F' };
    const made = await post(server, '/v1/datasets', body);
    t.match(await made.json(), { order: 'F', strides: [8, 24], mode: 'r' });
    t.strictSame(
      await dataAt('fortran')(),
      [0, 1, 2].map(row => [0, 3, 6, 9].map(column => values[row + column])),
    );
  });

  await t.test('mode r refuses writes', async t => {
    const answer = await server.fetch('/v1/datasets/fortran/data', { method: 'PUT', headers: JSON_BODY, body: '0' });
    t.match([answer.status, await answer.json()], [403, { code: 'read_only' }]);
    t.ok(fs.readFileSync(path.join(root, 'fortran.bin')).equals(array));
  });
});

/** Serves a copied folder, checks what it holds, and writes to it. */
async function serveCopy(t: Test, dataDir: string, checkGeneration: (generation: number) => void): Promise<void> {
  const server = await startServiceHere({ dataDir, env: WORKERS });
  t.teardown(() => server.stop());
  const answer = await server.fetch('/v1/datasets/matrix/data?format=raw');
  t.equal(sha256(Buffer.from(await answer.arrayBuffer())), EXPECTED.written.sha256);
  const generation = Number(answer.headers.get('x-dataset-generation'));
  checkGeneration(generation);
  const put = await server.fetch('/v1/datasets/matrix/data?slice=0', { method: 'PUT', headers: JSON_BODY, body: '2' });
  t.match(await put.json(), { generation: generation + 1 });
  await server.stop();
}

function folder(t: Test): string {
  const made = temporaryFolder();
  t.teardown(() => fs.rmSync(made, { recursive: true, force: true }));
  return made;
}

function post(server: ServiceHere, url: string, body?: object): Promise<Response> {
  return server.fetch(url, {
    method: 'POST',
    ...(body !== undefined && { headers: JSON_BODY, body: JSON.stringify(body) }),
  });
}

async function bytesAt(server: ServiceHere, url: string): Promise<Buffer> {
  return Buffer.from(await (await server.fetch(url)).arrayBuffer());
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function isClose(found: number, expected: number): boolean {
  return Math.abs(found - expected) <= 1e-12 * Math.abs(expected);
}

/** The bytes of `matrix()` in seeds.py. */
function matrix(): Uint8Array<ArrayBuffer> {
  const values = Float32Array.from({ length: ROWS * COLUMNS }, (_, i) => (Math.imul(i, HASH) >>> 8) * 2 ** -24);
  return new Uint8Array(values.buffer);
}

function floats(bytes: Uint8Array<ArrayBuffer>): Float32Array {
  return new Float32Array(bytes.buffer);
}

/** Before it is scaled by 2^-16. */
function seriesInteger(row: number, column: number): number {
  return (Math.imul(row * 10 + column, HASH) >>> 0) >>> column;
}

/** The bytes of `series()` in seeds.py. */
function series(): Buffer {
  const values = new Float64Array(10_000_000);
  for (let i = 0; i < values.length; i++) values[i] = seriesInteger(Math.floor(i / 10), i % 10) * 2 ** -16;
  return Buffer.from(values.buffer);
}

/** Mean and standard deviation of each column from sums of integers, with no rounding before the last steps. */
function exactSpread(): { mean: number; std: number }[] {
  const n = 1_000_000n;
  return Array.from({ length: 10 }, (_, column) => {
    // Halves of 16 bits: a million of their products are still exact as doubles.
    let [highs, lows, high2, cross, low2] = [0, 0, 0, 0, 0];
    for (let row = 0; row < 1_000_000; row++) {
      const value = seriesInteger(row, column);
      const [high, low] = [value >>> 16, value & 0xffff];
      highs += high;
      lows += low;
      high2 += high * high;
      cross += high * low;
      low2 += low * low;
    }
    const sum = (BigInt(highs) << 16n) + BigInt(lows);
    const squares = (BigInt(high2) << 32n) + (BigInt(cross) << 17n) + BigInt(low2);
    // n² times the variance of the integers; divided with 64 more bits than a double keeps.
    const scaled = ((n * squares - sum * sum) << 64n) / (n * n);
    const mean = Number((sum << 64n) / n) * 2 ** (-64 - 16);
    return { mean, std: Math.sqrt(Number(scaled) * 2 ** -64) * 2 ** -16 };
  });
}

interface Companion {
  /** Sends a line, and returns the line that comes back. */
  ask(): Promise<string>;
}

/** Another process that opens a file now and looks into it when it is asked. */
async function companion(t: Test, command: string, args: readonly string[]): Promise<Companion> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  t.teardown(async () => {
    child.stdin.end();
    if (child.exitCode === null) await once(child, 'exit');
  });
  const next = async (): Promise<string> => String((await lines.next()).value);
  t.equal(await next(), 'open');
  return {
    async ask() {
      child.stdin.write('\n');
      return next();
    },
  };
}

/** Says whether the first 1,000 float32 behind an offset are ones. */
const READER = `
const fs = require('node:fs');
const fd = fs.openSync(process.argv[1], 'r');
console.log('open');
process.stdin.on('data', () => {
  const bytes = Buffer.alloc(4000);
  fs.readSync(fd, bytes, 0, 4000, Number(process.argv[2]));
  console.log(Array.from({ length: 1000 }, (_, i) => bytes.readFloatLE(4 * i)).every(value => value === 1));
});
`;
