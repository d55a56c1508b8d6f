/** Every pair of kinds, in both byte orders and under each casting, against numpy itself. */
import t from 'tap';
import { canCast, CASTINGS, conversionOf } from '../../src/convert/index.js';
import { dtypeOf, isStructure, isText, type DType } from '../../src/dtype/index.js';
import { isErrorCode } from '../../src/errors.js';
import { caseStride } from '../helpers/cases.js';
import { NO_NUMPY, PYTHON, runPython } from '../helpers/python.js';

type Described = string | readonly (readonly [string, Described, (readonly number[])?])[];

interface Row {
  readonly safe: boolean;
  readonly same_kind: boolean;
  readonly unsafe: boolean;
  readonly data?: string;
  readonly cast?: string;
}

const NUMBERS = ['i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8', 'f2', 'f4', 'f8', 'c8', 'c16'];
const UNITS = ['', '[Y]', '[5M]', '[W]', '[D]', '[7D]', '[h]', '[s]', '[25us]', '[ns]', '[as]'];
const DATES = UNITS.flatMap(unit => [`M8${unit}`, `m8${unit}`]);
const ORDERED = [...NUMBERS, ...DATES, 'U3', 'U6'].flatMap(word => [`<${word}`, `>${word}`]);
const WORDS = ['|b1', ...ORDERED, '|S4', '|S9', '|V5', '|V8', '|V16', '<f16', '>c32'];

const STRUCTURES: readonly (readonly [Described, Described])[] = [
  [
    [
      ['a', '<i4'],
      ['b', '>f8'],
    ],
    [
      ['b', '<f4'],
      ['c', '>i8'],
    ],
  ],
  [
    [
      ['a', '<i2'],
      ['', '|V2'],
      ['b', '>f4', [3]],
    ],
    [
      ['a', '>i4'],
      ['b', '<f8', [3]],
      ['', '|V4'],
    ],
  ],
  [
    [
      [
        'p',
        [
          ['x', '<f2'],
          ['y', '>u2', [2]],
        ],
        [4],
      ],
      ['q', '|S3'],
    ],
    [
      [
        'p',
        [
          ['x', '<f4'],
          ['y', '<i8', [2]],
        ],
        [4],
      ],
      ['q', '<U5'],
    ],
  ],
  [
    [['a', '<i4']],
    [
      ['a', '<i4'],
      ['b', '<i4'],
    ],
  ],
  [[['a', '<f4', [2]]], [['a', '<f8', [3]]]],
  [[['a', '<f4']], [['a', '<f8', [2, 3]]]],
  [[['a', '<i4', [2, 1]]], [['a', '<f8', [2]]]],
  [[['a', '<i4', [4, 2]]], [['a', '<f8', [3]]]],
  [
    [
      ['a', '<M8[D]'],
      ['b', '|b1', [5]],
    ],
    [
      ['a', '>M8[s]'],
      ['b', '<c8', [5]],
    ],
  ],
  [[['a', '<f8']], '<f4'],
  [
    '<i4',
    [
      ['a', '<f4'],
      ['b', '>i2', [2]],
    ],
  ],
  [
    [
      ['a', '<f8'],
      ['b', '<f8'],
    ],
    '<f8',
  ],
  [
    [
      ['a', '<i8'],
      ['b', '|V3'],
      ['c', '>U2'],
    ],
    [
      ['a', '>u4'],
      ['b', '|V7'],
      ['c', '<U1'],
    ],
  ],
];

function allPairs(): (readonly [Described, Described])[] {
  const pairs = WORDS.flatMap(from => WORDS.map(to => [from, to] as const));
  const step = caseStride(11);
  return [...pairs.filter((_, i) => i % step === 0), ...STRUCTURES];
}

/** What the service refuses, whatever numpy does with it: it would make text of numbers, and numbers of text. */
function isUnserved(from: DType, to: DType): boolean {
  if (isStructure(from) || isStructure(to)) return false;
  const isLong = 'gG'.includes(from.kind) || 'gG'.includes(to.kind);
  if (isLong && from.kind !== to.kind && to.kind !== 'V') return true;
  return (isText(from) !== isText(to) && to.kind !== 'V') || (from.kind === 'V' && to.kind !== 'V');
}

t.test('castings and values are numpy’s', { skip: PYTHON === undefined && NO_NUMPY }, async t => {
  const pairs = allPairs();
  const rows = runPython('convert/live/casts.py', [], JSON.stringify({ seed: 20261129, pairs }))
    .trimEnd()
    .split('\n');
  t.equal(rows.length, pairs.length);
  let compared = 0;
  for (const [i, pair] of pairs.entries()) {
    const row = JSON.parse(rows[i]!) as Row;
    const [from, to] = pair.map(each => dtypeOf(each)) as [DType, DType];
    const title = `${from.typestr} → ${to.typestr}`;
    if (isUnserved(from, to)) {
      t.throws(() => conversionOf(from, to, 'wrap'), { code: 'unsupported_dtype' }, title);
      continue;
    }
    const found = Object.fromEntries(CASTINGS.map(casting => [casting, canCast(from, to, casting)]));
    const { safe, same_kind, unsafe } = row;
    t.same(found, { safe, same_kind, unsafe }, title);
    if (row.data === undefined || !unsafe) continue;
    const source = new Uint8Array(Buffer.from(row.data, 'base64'));
    const target = new Uint8Array((source.length / from.itemsize) * to.itemsize).fill(0xaa);
    try {
      conversionOf(from, to, 'numpy').run(source, target);
    } catch (error) {
      if (!isErrorCode(error, 'would_lose')) throw error;
      t.fail(`${title}: ${error.message}`);
    }
    const cast = Buffer.from(row.cast!, 'base64');
    if (!isSame(to, target, cast)) t.equal(Buffer.from(target).toString('hex'), cast.toString('hex'), title);
    compared++;
  }
  t.ok(compared > pairs.length / 2, `${compared} pairs were compared`);
});

/** To the bit, but for the bits of NaN. */
function isSame(to: DType, found: Uint8Array, wanted: Uint8Array): boolean {
  if (Buffer.compare(found, wanted) === 0) return true;
  if (to.kind !== 'f' && to.kind !== 'c') return false;
  const bytes = to.kind === 'c' ? to.itemsize / 2 : to.itemsize;
  for (let at = 0; at < found.length; at += bytes) {
    const [a, b] = [found, wanted].map(each => isNaNAt(each.subarray(at, at + bytes), to.byteOrder === '>'));
    const isEqual = Buffer.compare(found.subarray(at, at + bytes), wanted.subarray(at, at + bytes)) === 0;
    if (!isEqual && !(a && b)) return false;
  }
  return true;
}

function isNaNAt(item: Uint8Array, isBig: boolean): boolean {
  const bits = BigInt(`0x${Buffer.from(isBig ? item : item.toReversed()).toString('hex')}`);
  const infinity = { 2: 0x7c00n, 4: 0x7f80_0000n, 8: 0x7ff0_0000_0000_0000n }[item.length]!;
  return (bits & ((1n << BigInt(8 * item.length - 1)) - 1n)) > infinity;
}
