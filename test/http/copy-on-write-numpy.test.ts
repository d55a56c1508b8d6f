/**
 * Mode c beside numpy.memmap's: random slices of two datasets of mode c and of the file itself are written, read, summed
 * and discarded; numpy does the same to the same bytes, and has to find what the service answered.
 */
import fs from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import { caseCount } from '../helpers/cases.js';
import { header, npy } from '../helpers/npy.js';
import { NO_NUMPY, PYTHON, runPython } from '../helpers/python.js';
import { seededRandom, type Random } from '../helpers/random.js';
import { start, temporaryFolder, type TestServer } from '../helpers/server.js';
import { binary, create, json, readRaw } from '../system/calls.js';

const ARRAYS = caseCount(3, 20);
const STEPS = 24;
const DTYPES = ['<i4', '>i2', '|u1', '<f8'] as const;
const SEEN = ['base', 'one', 'two'] as const;

type Seen = (typeof SEEN)[number];

interface Step {
  readonly kind: 'write' | 'read' | 'discard' | 'statistic';
  readonly on: Seen;
  readonly slice?: string;
  readonly shape?: readonly number[];
  readonly data?: string;
  readonly axis?: number | null;
  readonly results?: unknown;
}

interface Array {
  readonly seed: number;
  readonly typestr: (typeof DTYPES)[number];
  readonly shape: readonly number[];
  readonly order: 'C' | 'F';
  readonly format: 'raw' | 'npy';
  readonly offset: number;
  readonly file: Buffer;
}

const WAYS: readonly (readonly [title: string, env: Readonly<Record<string, string>>])[] = [
  ['mapped, two workers', {}],
  ['positional, one worker', { HYPERSLAB_MAPPING: 'positional', HYPERSLAB_WORKERS: '1' }],
  ['mapped, one worker, nothing cached', { HYPERSLAB_WORKERS: '1', HYPERSLAB_CACHE_BYTES: '0' }],
];

for (const [way, [title, env]] of WAYS.entries()) {
  t.test(`what numpy does, ${title}`, { skip: PYTHON === undefined && NO_NUMPY }, async t => {
    const root = temporaryFolder();
    t.teardown(() => fs.rmSync(root, { recursive: true }));
    const server = await start(t, { env: { HYPERSLAB_ROOTS: root, ...env } });
    const histories: object[] = [];
    for (let i = 0; i < ARRAYS; i++) histories.push(await history(t, server, root, 1 + i + 1000 * way));
    t.equal(runPython('http/copy_on_write_steps.py', [], JSON.stringify(histories)).trim(), `${ARRAYS * STEPS} steps`);
  });
}

async function history(t: Test, server: TestServer, root: string, seed: number): Promise<object> {
  const random = seededRandom(seed);
  const array = makeArray(random, seed);
  const { file, ...told } = array;
  const where = path.join(root, `${seed}.${array.format === 'npy' ? 'npy' : 'bin'}`);
  fs.writeFileSync(where, file);
  const { typestr: dtype, shape, order, format, offset } = array;
  for (const on of SEEN) {
    const mode = on === 'base' ? 'r+' : 'c';
    const geometry = format === 'raw' ? { dtype, shape, order, offset } : {};
    // What other programs may change is kept in no cache; half of the files are of neither kind.
    const external = seed % 2 === 0;
    await create(server, { name: `${on}-${seed}`, path: path.basename(where), mode, external, ...geometry });
  }
  const steps: Step[] = [];
  const generations: Partial<Record<Seen, number>> = {};
  for (let i = 0; i < STEPS; i++) {
    const step = await makeStep(random, server, array);
    steps.push(step);
    for (const on of SEEN) {
      const { generation } = (await (await server.fetch(`/v1/datasets/${on}-${seed}`)).json()) as {
        generation: number;
      };
      const isMoved = step.kind === 'discard' || step.kind === 'write' ? step.on === on || step.on === 'base' : false;
      const before = generations[on];
      if (before !== undefined && (isMoved ? generation <= before : generation !== before)) {
        t.fail(`seed ${seed}, step ${i}: ${on} went from ${before} to ${generation} at ${step.kind} of ${step.on}`);
      }
      generations[on] = generation;
    }
  }
  const final = fs.readFileSync(where).toString('base64');
  return { ...told, initial: file.toString('base64'), final, steps };
}

function makeArray(random: Random, seed: number): Array {
  const typestr = random.pick(DTYPES);
  const itemsize = Number(typestr.slice(2));
  const elements = random.integer(8, 64) * 1024;
  const rank = random.integer(1, 3);
  const outer = Array.from({ length: rank - 1 }, () => random.pick([2, 3, 7, 40]));
  const rest = Math.max(1, Math.floor(elements / itemsize / outer.reduce((size, length) => size * length, 1)));
  const shape = random.next() < 0.5 ? [...outer, rest] : [rest, ...outer];
  const order = rank > 1 ? random.pick(['C', 'F'] as const) : 'C';
  const format = random.pick(['raw', 'npy'] as const);
  const count = shape.reduce((size, length) => size * length, 1);
  const data = values(random, typestr, count);
  if (format === 'npy') {
    const tuple = `(${shape.map(length => `${length},`).join(' ')})`;
    const file = npy(header(typestr, tuple).replace('False', order === 'F' ? 'True' : 'False'), data);
    return { seed, typestr, shape, order, format, offset: file.length - data.length, file };
  }
  const offset = random.integer(0, 5000);
  return { seed, typestr, shape, order, format, offset, file: Buffer.concat([Buffer.alloc(offset, 7), data]) };
}

function values(random: Random, typestr: string, count: number): Buffer {
  if (typestr !== '<f8') {
    return Buffer.from(Uint8Array.from({ length: count * Number(typestr.slice(2)) }, () => random.below(256)));
  }
  return Buffer.from(Float64Array.from({ length: count }, () => random.integer(-1000, 1000)).buffer);
}

async function makeStep(random: Random, server: TestServer, { seed, typestr, shape }: Array): Promise<Step> {
  const on = random.pick(['one', 'one', 'one', 'two', 'base'] as const);
  const name = `${on}-${seed}`;
  const chance = random.next();
  const picked = shape.map(length => makePart(random, length));
  const slice = picked.map(({ text }) => text).join(',');
  const lengths = picked.flatMap(({ length }) => (length === undefined ? [] : [length]));
  const query = `slice=${encodeURIComponent(slice)}`;
  if (chance < 0.05 && on !== 'base') {
    await expect200(server.fetch(`/v1/datasets/${name}/discard`, { method: 'POST' }));
    return { kind: 'discard', on };
  }
  if (chance < 0.5) {
    const data = values(
      random,
      typestr,
      lengths.reduce((size, length) => size * length, 1),
    );
    const asked = random.pick(['', '&durability=none', '&durability=commit']);
    const answer = await expect200(server.fetch(`/v1/datasets/${name}/data?${query}${asked}`, binary('PUT', data)));
    const durability = on === 'base' && asked !== '&durability=none' ? 'commit' : 'none';
    if (answer['durability'] !== durability) throw new Error(`${name}: ${JSON.stringify(answer)}`);
    return { kind: 'write', on, slice, shape: lengths, data: data.toString('base64') };
  }
  if (chance < 0.8) {
    return { kind: 'read', on, slice, data: (await readRaw(server, name, slice)).toString('base64') };
  }
  const axis = lengths.length > 0 && random.next() < 0.5 ? random.below(lengths.length) : null;
  const asked = { ops: ['sum', 'min', 'max'], slice, ...(axis !== null && { axis }) };
  const answer = await expect200(server.fetch(`/v1/datasets/${name}/statistics`, json('POST', asked)));
  return { kind: 'statistic', on, slice, axis, results: answer['results'] };
}

/** A part of a slice that selects something, and its length; undefined where the axis goes. */
function makePart(random: Random, length: number): { text: string; length: number | undefined } {
  if (random.next() < 0.15) return { text: String(random.integer(-length, length - 1)), length: undefined };
  const first = random.below(length);
  const last = random.integer(first, Math.min(length - 1, first + random.pick([0, 3, 900, length])));
  const step = random.pick([1, 1, 2, 3, 700, 5000]);
  const count = Math.floor((last - first) / step) + 1;
  if (random.next() < 0.7) return { text: `${first}:${last + 1}:${step}`, length: count };
  // The same backwards, from its last element.
  const top = first + (count - 1) * step;
  return { text: `${top}:${first === 0 ? '' : first - 1}:${-step}`, length: count };
}

async function expect200(asked: Promise<Response>): Promise<Record<string, unknown>> {
  const response = await asked;
  const body = (await response.json()) as Record<string, unknown>;
  if (response.status !== 200) throw new Error(`${response.status}: ${JSON.stringify(body)}`);
  return body;
}
