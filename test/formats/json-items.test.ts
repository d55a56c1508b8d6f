/** Items of every dtype as JSON, against numpy and a stupid model in Python (json_items.py). */
import t from 'tap';
import { dtypeOf, parseDType } from '../../src/dtype/index.js';
import {
  encodeJsonData,
  encodeJsonDataNow,
  jsonHeldBytes,
  jsonItemSize,
  jsonOfItem,
  parseJsonDataNow,
} from '../../src/formats/index.js';
import { sizeOf } from '../../src/layout/view.js';
import { LIMITS } from '../../src/limits.js';
import { caseCount } from '../helpers/cases.js';
import { NO_NUMPY, PYTHON, runPython } from '../helpers/python.js';

interface Case {
  readonly dtype: unknown;
  readonly shape: readonly number[];
  readonly bytes: string;
  readonly json: unknown;
  readonly texts: readonly string[];
  readonly assigned: string | null;
}

const casesOf = (seed: number, count: number): Case[] =>
  runPython('formats/json_items.py', [String(seed), String(count)])
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Case);

const QUOTED = { int64: 'string' } as const;

t.test('items of random dtypes are printed as the model prints them', { skip: !PYTHON && NO_NUMPY }, async t => {
  for (const { dtype, shape, bytes, json } of casesOf(21, caseCount(200, 4000))) {
    const block = { dtype: dtypeOf(dtype), shape, bytes: Buffer.from(bytes, 'base64') };
    const text = Buffer.from(encodeJsonDataNow(block, QUOTED)).toString();
    const parsed = JSON.parse(text) as unknown;
    t.strictSame(parsed, json, block.dtype.typestr);
    const { textMin, textMax } = jsonItemSize(block.dtype);
    const size = sizeOf(shape);
    t.ok(size === 0 || text.length >= size * textMin, 'it is as long as it has to be');
    t.ok(Buffer.byteLength(text) <= size * (textMax + 1) + 100, 'and no longer than was said');
  }
});

t.test('and what numpy makes of them is what the service makes', { skip: !PYTHON && NO_NUMPY }, async t => {
  for (const { dtype, shape, texts, assigned } of casesOf(22, caseCount(300, 6000))) {
    if (assigned === null) continue;
    const of = dtypeOf(dtype);
    for (const text of texts) {
      const block = parseJsonDataNow(of, Buffer.from(text));
      const { length } = shape.slice(0, shape.indexOf(0) + 1 || undefined);
      t.strictSame(block.shape, shape.slice(0, length), 'empty lists end where they are empty');
      t.equal(Buffer.from(block.bytes).toString('base64'), assigned, `${of.typestr} ${text.slice(0, 200)}`);
    }
  }
});

t.test('objects have the members of their fields, without spaces, in the order of the dtype', async t => {
  const dtype = dtypeOf([
    ['b', '>i2'],
    ['', '|V3'],
    ['a"', [['z', '<c8', [1, 2]]]],
    ['t', '<M8[D]'],
  ]);
  const bytes = new Uint8Array(dtype.itemsize);
  bytes.set([1, 2]);
  t.equal(jsonOfItem(dtype, bytes), '{"b":258,"a\\"":{"z":[[[0.0,0.0],[0.0,0.0]]]},"t":"1970-01-01"}');
});

t.test('long texts and long structures come in turns, and join to the whole', async t => {
  const length = 50_000;
  const points = Uint32Array.from({ length: 2 * length }, (_, i) => (i % 7 === 0 ? 0x1f600 : i % 128));
  points[length - 1] = 65;
  points[2 * length - 1] = 66;
  const text = (from: number): string => String.fromCodePoint(...points.subarray(from, from + length));
  const bytes = Buffer.from(points.buffer);
  const turns = [...encodeJsonData({ dtype: parseDType(`<U${length}`), shape: [2], bytes }, QUOTED)];
  t.ok(turns.length > 3, `${turns.length} turns`);
  t.strictSame(JSON.parse(Buffer.concat(turns).toString()), [text(0), text(length)]);

  const values = Float32Array.from({ length: 60_000 }, (_, i) => i / 8);
  const many = dtypeOf([
    ['v', '<f4', [300, 100]],
    ['n'.repeat(30_000), '<f4', [30_000]],
  ]);
  const pieces = [...encodeJsonData({ dtype: many, shape: [], bytes: Buffer.from(values.buffer) }, QUOTED)];
  const { v, ['n'.repeat(30_000)]: n } = JSON.parse(Buffer.concat(pieces).toString()) as Record<string, unknown[]>;
  t.strictSame([...v!.flat(), ...n!], [...values]);
  t.equal(v!.length, 300);

  const voids = new Uint8Array(100_000).map((_, i) => i % 251);
  const base64 = Buffer.concat([
    ...encodeJsonData({ dtype: parseDType('|V50000'), shape: [2], bytes: voids }, QUOTED),
  ]).toString();
  const halves = [voids.subarray(0, 50_000), voids.subarray(50_000)];
  t.strictSame(
    JSON.parse(base64),
    halves.map(half => Buffer.from(half).toString('base64')),
  );
});

t.test('no turn is long, whatever the items are', async t => {
  const dtypes = [
    '<M8[ns]',
    '<c16',
    '|S40',
    '<U40',
    '|V40',
    '|S4000',
    '<U3000',
    '[["a","<M8[ns]",[50]],["b","<U9",[9]]]',
  ];
  for (const spelling of [...dtypes, '|S300000', '[["a",[["b","<m8[s]"],["c","|S3"]],[20000]]]']) {
    const dtype = parseDType(spelling);
    const size = Math.ceil(2e6 / dtype.itemsize);
    const bytes = new Uint8Array(size * dtype.itemsize).map((_, i) => (i * 7919) % 127);
    const turns = encodeJsonData({ dtype, shape: [size], bytes }, QUOTED);
    const least = jsonHeldBytes([size], dtype) / 1e6;
    let largest = 0;
    let count = 0;
    for (const turn of turns) {
      largest = Math.max(largest, turn.length);
      count++;
    }
    t.ok(largest <= 28 * (LIMITS.jsonElementsPerTurn + 1) + 1000, `${spelling}: ${largest} bytes at most`);
    t.ok(count > 5 && count < 1e4, `${spelling}: ${count} turns, ${least} MB at most`);
  }
});

t.test('a long double has no JSON, wherever it is', async t => {
  for (const spelling of ['<f16', '>c32', '[["a","<f4"],["b",[["c","<f16"]]]]']) {
    const dtype = parseDType(spelling);
    const block = { dtype, shape: [1], bytes: new Uint8Array(dtype.itemsize) };
    t.throws(() => encodeJsonDataNow(block, QUOTED), { code: 'unsupported_dtype', message: /format=raw or npy/ });
    t.throws(() => jsonHeldBytes([0], dtype), { code: 'unsupported_dtype' }, 'before anything is read');
  }
});

t.test('what an answer may hold is counted from its dtype', async t => {
  t.equal(jsonHeldBytes([10], parseDType('|S100')), 1000 + 2 * (10 * 603 + 3));
  t.equal(jsonHeldBytes([10, 0], parseDType('|S100000')), 11 * LIMITS.jsonValueBytes, 'empty lists');
  t.equal(jsonHeldBytes([1e300, 1e300], parseDType('<U3')), Number.MAX_VALUE);
  t.equal(jsonItemSize(parseDType('[["a","<f4",[3,2]],["b","|S1"]]')).values, 7);
});
