/**
 * Mutated .npy files and fuzzed slices, each with what numpy makes of it, and fuzzed JSON bodies. Every answer is a
 * refusal or equal to numpy's, none is a fault of the service, and the process that answered the first answers the last.
 */
import fs from 'node:fs';
import http from 'node:http';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import path from 'node:path';
import t, { type Test } from 'tap';
import { NO_NUMPY, PYTHON, pythonProgram } from '../helpers/python.js';
import { seededRandom, type Random } from '../helpers/random.js';
import { startServer, type TestServer } from '../helpers/server.js';
import { binary } from '../system/calls.js';
import { figure, rounds } from './harness.js';

const CASES = rounds(2500, 100_000);
const BODIES = rounds(1000, 20_000);
const SEED = 20_261_121;
const UNDER_WAY = 16;
const PROGRAM = pythonProgram('faults/fuzz_cases.py');
/** Where there is one, a file system that syncs at once: tens of thousands of imports are about bytes, not about disks. */
const FAST_FOLDER = '/dev/shm';

interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly bytes: Buffer;
}

const agent = new http.Agent({ keepAlive: true, maxSockets: UNDER_WAY });
let server: TestServer;

function ask(method: string, where: string, body?: string | Buffer, type = 'application/json'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(body) };
    const request = http.request(`${server.url}${where}`, { method, agent, headers }, response => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode!, headers: response.headers, bytes: Buffer.concat(parts) }),
      );
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** Runs `check` on every line that the program prints, some at a time; what is wrong, shortened. */
async function eachCase(
  args: readonly string[],
  check: (value: never, turn: number) => Promise<string | undefined>,
): Promise<string[]> {
  const program = spawn(PYTHON!, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const wrong: string[] = [];
  const idle = Array.from({ length: UNDER_WAY }, (_, turn) => turn);
  let wake: (() => void) | undefined;
  const running = new Set<Promise<boolean>>();
  for await (const line of createInterface({ input: program.stdout })) {
    while (idle.length === 0) await new Promise<void>(resolve => (wake = resolve));
    const turn = idle.pop()!;
    const one: Promise<boolean> = check(JSON.parse(line) as never, turn)
      .catch((error: unknown) => `no answer: ${String(error)}`)
      .then(found => {
        if (found !== undefined && wrong.length < 20) wrong.push(`${found} for ${line.slice(0, 600)}`);
        idle.push(turn);
        wake?.();
        return running.delete(one);
      });
    running.add(one);
  }
  await Promise.all(running);
  return wrong;
}

/** A refusal is a problem document with a status of its own; nothing else below 500 is one. */
function isRefusal({ status, headers }: Answer): boolean {
  return status >= 400 && status < 500 && headers['content-type']?.startsWith('application/problem+json') === true;
}

const needs = PYTHON === undefined ? NO_NUMPY : false;

t.before(async () => {
  const dataDir = fs.existsSync(FAST_FOLDER) ? fs.mkdtempSync(path.join(FAST_FOLDER, 'hyperslab-test-')) : undefined;
  server = await startServer({ ...(dataDir !== undefined && { dataDir }) });
});

t.teardown(async () => {
  agent.destroy();
  await server.stop();
  fs.rmSync(server.dataDir, { recursive: true });
});

interface HeaderCase {
  readonly file: string;
  readonly array: { readonly dtype: string; readonly shape: readonly number[]; readonly data: string } | null;
  readonly sound: boolean;
}

t.test(`${CASES} mutated .npy files are refused, or served as numpy reads them`, { skip: needs }, async t => {
  let served = 0;
  const wrong = await eachCase(['headers', String(SEED), String(CASES)], async (each: HeaderCase, turn) => {
    const { file, array, sound } = each;
    const where = `/v1/datasets/fuzz${turn}`;
    const put = await ask('PUT', `${where}?overwrite=true`, Buffer.from(file, 'base64'), 'application/x-npy');
    if (isRefusal(put)) return sound ? `${put.status} ${put.bytes.toString()} for a sound file` : undefined;
    if (put.status !== 200 && put.status !== 201) return `${put.status} ${put.bytes.toString()}`;
    if (!array) return 'accepted what numpy refuses';
    const { dtype, shape } = JSON.parse(put.bytes.toString()) as { dtype: string; shape: number[] };
    if (dtype !== array.dtype || String(shape) !== String(array.shape)) return `taken as ${dtype} [${String(shape)}]`;
    const read = await ask('GET', `${where}/data?format=raw`);
    if (read.status !== 200 || read.bytes.toString('base64') !== array.data) return `read ${read.status}, other bytes`;
    served++;
    return undefined;
  });
  t.strictSame(wrong, []);
  t.ok(served >= CASES / 20, `${served} were served`);
  figure(t, 'fuzz: .npy files served equal to numpy', `${served} of ${CASES}`);
  await isAlive(t);
});

interface SliceCase {
  readonly name: string;
  readonly slice: string;
  readonly status: number;
  readonly shape?: readonly number[];
  readonly data?: string;
}

t.test(`${CASES} fuzzed slices are answered as numpy does`, { skip: needs }, async t => {
  await eachCase(['arrays'], async (arrays: Record<string, readonly number[]>) => {
    for (const [name, shape] of Object.entries(arrays)) {
      const size = shape.reduce((product, length) => product * length, 1);
      await ask('POST', '/v1/datasets', JSON.stringify({ name, dtype: '<i4', shape }));
      const body = Buffer.from(Int32Array.from({ length: size }, (_, i) => i).buffer);
      await server.fetch(`/v1/datasets/${name}/data`, binary('PUT', body));
    }
    return undefined;
  });
  const statuses = new Map<number, number>();
  const wrong = await eachCase(['slices', String(SEED), String(CASES)], async (each: SliceCase) => {
    const query = `slice=${encodeURIComponent(each.slice)}&format=raw`;
    const answer = await ask('GET', `/v1/datasets/${each.name}/data?${query}`);
    statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
    if (answer.status !== each.status) return `${answer.status} ${answer.bytes.toString()}`;
    if (answer.status !== 200) return isRefusal(answer) ? undefined : 'no problem document';
    if (answer.headers['x-array-shape'] !== String(each.shape))
      return `shape ${String(answer.headers['x-array-shape'])}`;
    return answer.bytes.toString('base64') === each.data ? undefined : 'other bytes';
  });
  t.strictSame(wrong, []);
  const counts = [...statuses].map(([status, count]) => `${status}: ${count}`).toSorted();
  t.ok((statuses.get(200) ?? 0) >= CASES / 10, counts.join(', '));
  figure(t, `fuzz: slices equal to numpy, ${counts.join(', ')}`, CASES);
  await isAlive(t);
});

// prettier-ignore
const SCALARS = [
  '0', '-0', '1', '-1', '1.5', '1e999', '-1e999', '1e-999', '1E5', '9007199254740993', '18446744073709551616',
  'true', 'false', 'null', '"NaN"', '"Infinity"', '"x"', '""', '"\\ud800"', '"\\udc00\\ud800"', '"\\u0000"',
  'NaN', 'Infinity', '01', '1.', '.5', '+1', '0x1', "'a'", '"\\x"', '"', '\u0000', '\ufeff1', '{}', '[]', '',
];
const KEYS = ['name', 'dtype', 'shape', 'attrs', 'dims', 'mode', 'fill', 'path', 'offset', 'ops', 'axis', 'slice', 'where',
  'as', 'ddof', 'nan', 'queries', 'dataset', '__proto__', 'constructor', 'prototype', 'toString', 'x', '']; // prettier-ignore

/** Lists or objects, closed, around each other. */
function nested(random: Random): string {
  const levels = random.pick([40, 66, 5000, 50_000]);
  return random.next() < 0.5
    ? `${'['.repeat(levels)}${']'.repeat(levels)}`
    : `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
}

function fuzzedJson(random: Random, depth: number): string {
  const kind = random.next();
  if (depth === 0 || kind < 0.35) {
    if (random.next() < 0.03) return '9'.repeat(random.integer(20, 3000));
    return random.pick(SCALARS);
  }
  if (kind < 0.4) return '['.repeat(random.pick([70, 1000, 50_000]));
  if (kind < 0.45) return nested(random);
  const members = Array.from({ length: random.integer(0, 5) }, () => fuzzedJson(random, depth - 1));
  if (kind < 0.7) return `[${members.join(',')}]`;
  return `{${members.map(member => `${JSON.stringify(random.pick(KEYS))}:${member}`).join(',')}}`;
}

/** Something that would be taken, with one member replaced, so that the fuzz comes past the schema. */
function nearlyRight(random: Random, base: Readonly<Record<string, string>>): string {
  const members = { ...base };
  const keys = random.next() < 0.5 ? Object.keys(base) : KEYS;
  const key = keys.length > 0 ? random.pick(keys) : 'x';
  members[key] = random.next() < 0.1 ? nested(random) : fuzzedJson(random, 3);
  const text = Object.entries(members).map(([key, value]) => `${JSON.stringify(key)}:${value}`);
  if (random.next() < 0.1) text.push(random.pick(text));
  return `{${text.join(',')}}`;
}

t.test(`${BODIES} fuzzed JSON bodies are taken or refused`, async t => {
  await ask('POST', '/v1/datasets', '{"name":"target","dtype":"<f8","shape":[4,3]}');
  const random = seededRandom(SEED);
  const target = '/v1/datasets/target';
  const made = { name: '"made"', dtype: '"<f4"', shape: '[2]', attrs: '{"a":{"b":[1,2]}}', dims: '["x"]' };
  const patch = { attrs: '{"a":{"b":null}}', dims: '["x","y"]', mode: '"r+"' };
  const query = { ops: '["mean"]', axis: '0', slice: '"1:3"' };
  const batch = { queries: '[{"dataset":"target","ops":["sum"]}]', order: '"input"' };
  /** Calls, each with a body that is taken. */
  const calls: readonly [call: (body: string) => Promise<Answer>, base: Readonly<Record<string, string>>][] = [
    [body => ask('PUT', `${target}/data`, body), {}],
    [body => ask('PUT', `${target}/data?slice=1`, body), {}],
    [body => ask('POST', '/v1/datasets', body), made],
    [body => ask('PATCH', target, body), patch],
    [body => ask('PATCH', target, body, 'application/merge-patch+json'), patch],
    [body => ask('POST', `${target}/statistics`, body), query],
    [body => ask('POST', '/v1/statistics', body), batch],
  ];
  const wrong: string[] = [];
  const statuses = new Map<number, number>();
  const one = async (): Promise<void> => {
    const [call, base] = random.pick(calls);
    const body = random.next() < 0.3 ? fuzzedJson(random, 4) : nearlyRight(random, base);
    const answer = await call(body);
    statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
    const isFine = answer.status < 300 || isRefusal(answer);
    if (!isFine && wrong.length < 20)
      wrong.push(`${answer.status} ${answer.bytes.toString()} for ${body.slice(0, 300)}`);
    // A dataset that a body made is taken away again, and the target kept writable.
    if (answer.status === 201) await ask('DELETE', '/v1/datasets/made?data=delete');
  };
  for (let done = 0; done < BODIES; done++) await one();
  t.strictSame(wrong, []);
  t.comment([...statuses].map(([status, count]) => `${status}: ${count}`).join(', '));
  t.ok((statuses.get(200) ?? 0) > 0 && (statuses.get(201) ?? 0) > 0, 'some were taken');
  await isAlive(t);
});

async function isAlive(t: Test): Promise<void> {
  t.equal((await ask('GET', '/healthz')).status, 200);
  t.equal(server.child.exitCode, null, 'the service is the one that was started');
}
