/** Runs of float64 and float32 in every format that writes them as text, beside what JavaScript makes of each value. */
import t from 'tap';
import type { Block } from '../../src/block.js';
import { numberDType } from '../../src/dtype/index.js';
import { encodeJsonData, encodeJsonDataNow, encoderFrom, encodeJsonStretch } from '../../src/formats/index.js';
import { swapBytes } from '../../src/native.js';
import { caseCount } from '../helpers/cases.js';
import { seededRandom } from '../helpers/random.js';

type Words = readonly [nan: string, infinity: string, minusInfinity: string];
const JSON_WORDS: Words = ['"NaN"', '"Infinity"', '"-Infinity"'];
const CSV_WORDS: Words = ['NaN', 'inf', '-inf'];
const NULLS: Words = ['null', 'null', 'null'];

/** The stupid model: JavaScript's shortest digits; whole values keep a point, or an exponent from 10^16 on. */
function textOf(value: number, [nan, infinity, minusInfinity]: Words): string {
  if (Number.isNaN(value)) return nan;
  if (!Number.isFinite(value)) return value > 0 ? infinity : minusInfinity;
  if (Object.is(value, -0)) return '-0.0';
  if (Math.abs(value) >= 1e16) return value.toExponential();
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

function blockOf(values: Float64Array, shape: readonly number[] = [values.length]): Block {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return { dtype: numberDType('<f8'), shape, bytes };
}

function jsonOf(block: Block): string {
  return Buffer.from(encodeJsonDataNow(block, { int64: 'number' })).toString('latin1');
}

/** Compares all values at once, and tells the first few that differ. */
function faultsOf(values: Float64Array): string[] {
  const wanted = Array.from(values, value => textOf(value, JSON_WORDS));
  const text = jsonOf(blockOf(values));
  if (text === `[${wanted.join(',')}]`) return [];
  const got = text.slice(1, -1).split(',');
  return wanted.flatMap((want, i) => (got[i] === want ? [] : [`${got[i]}, not ${want}`])).slice(0, 5);
}

const view = new DataView(new ArrayBuffer(8));

function fromBits(bits: bigint): number {
  view.setBigUint64(0, bits);
  return view.getFloat64(0);
}

/** A value and three floats on each side of it, of both signs. */
function neighbours(value: number): number[] {
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  return [-3n, -2n, -1n, 0n, 1n, 2n, 3n].flatMap(step => {
    const near = fromBits(BigInt.asUintN(63, bits + step));
    return [near, -near];
  });
}

t.test('powers of two and of ten, and what lies beside them', async t => {
  const values: number[] = [];
  for (let power = -1074; power < 1024; power++) values.push(...neighbours(2 ** power));
  for (let power = -324; power < 309; power++) {
    for (const digit of [1, 2, 3, 5, 9]) values.push(...neighbours(Number(`${digit}e${power}`)));
  }
  values.push(...neighbours(Number.MAX_VALUE), 0, -0);
  t.strictSame(faultsOf(Float64Array.from(values)), []);
});

t.test('the least subnormals, and whole values beside 10^9, 2^53 and 10^16', async t => {
  const values: number[] = [];
  for (let i = -2000; i < 2000; i++) {
    values.push(Math.abs(i) * Number.MIN_VALUE, i, i / 2, i / 10, i / 100, i / 1e6, i / 1e7);
    values.push(1e9 + i, 1e9 + i / 2, 2 ** 53 + i, 2 ** 52 + i / 2, 1e15 + i / 8, 1e16 + 2 * i, -1e16 + 2 * i);
  }
  t.strictSame(faultsOf(Float64Array.from(values)), []);
});

t.test('random values: of all bits, decimals, fractions, and short binary ones', async t => {
  const random = seededRandom(20_201);
  const rounds = caseCount(20, 1000);
  const bits = (): number => random.below(2 ** 32);
  for (let round = 0; round < rounds; round++) {
    const values: number[] = [];
    for (let i = 0; i < 1000; i++) {
      values.push(fromBits((BigInt(bits()) << 32n) | BigInt(bits())));
      values.push(bits() / 10 ** random.below(12), bits() / 3 / 2 ** 32);
      values.push((bits() * 2 ** 21 + bits()) / 2 ** random.below(60));
    }
    t.strictSame(faultsOf(Float64Array.from(values)), [], `round ${round}`);
  }
});

/** The stupid model of float32: the fewest digits of those nearest to the value that read back as it. */
function singleText(value: number): string {
  if (!Number.isFinite(value) || value === 0) return textOf(value, JSON_WORDS);
  for (let digits = 0; digits < 8; digits++) {
    const near = nearestOf(value, digits);
    if (Math.fround(near) === value) return textOf(near, JSON_WORDS);
  }
  return textOf(nearestOf(value, 8), JSON_WORDS);
}

/** With so many digits behind the first; of two that are as near the one whose last is even. */
function nearestOf(value: number, digits: number): number {
  const [mantissa = '', exponent] = value.toExponential(20).split('e');
  const kept = mantissa.slice(0, mantissa.indexOf('.') + 1 + digits).replace(/\.$/, '');
  const isTie = /^50*$/.test(mantissa.slice(mantissa.indexOf('.') + 1 + digits));
  return isTie && /[02468]$/.test(kept) ? Number(`${kept}e${exponent}`) : Number(value.toExponential(digits));
}

t.test('float32: every exponent with the least, the greatest and random digits, and random decimals', async t => {
  const random = seededRandom(20_202);
  const rounds = caseCount(2, 30);
  for (let round = 0; round < rounds; round++) {
    const bits: number[] = [];
    for (let field = 0; field < 256; field++) {
      const digits = [1, 2, 3, 0x7f_ffff, 0x7f_fffe, ...Array.from({ length: 20 }, () => random.below(2 ** 23))];
      for (const each of digits) bits.push((field << 23) | each, (1 << 31) | (field << 23) | each);
    }
    const short = Array.from({ length: 3000 }, () => random.below(100_000) / 10 ** random.below(9));
    const values = Float32Array.from([...new Float32Array(Int32Array.from(bits).buffer), ...short, 2 ** 24, 0, -0]);
    const texts = Array.from(values, singleText);
    const block = { dtype: numberDType('<f4'), shape: [values.length], bytes: new Uint8Array(values.buffer) };
    const got = jsonOf(block).slice(1, -1).split(',');
    t.strictSame(
      texts.flatMap((want, i) => (got[i] === want ? [] : [`${got[i]}, not ${want}`])).slice(0, 5),
      [],
      `round ${round}`,
    );
  }
});

t.test('float32: powers of two and their neighbours, many at once and few at a time', async t => {
  const bits = Int32Array.from({ length: 256 * 8 }, (_, i) => ((i >> 3) << 23) + (i & 7) - 4);
  const texts = (from: number, to: number): string[] =>
    jsonOf({
      dtype: numberDType('<f4'),
      shape: [to - from],
      bytes: new Uint8Array(bits.buffer, from * 4, (to - from) * 4),
    })
      .slice(1, -1)
      .split(',');
  const few = Array.from({ length: bits.length / 8 }, (_, i) => texts(8 * i, 8 * i + 8)).flat();
  t.strictSame(texts(0, bits.length), few);
});

t.test('rows of any length in lists of any depth, stretch by stretch', async t => {
  const random = seededRandom(20_203);
  const faults: string[] = [];
  for (let round = 0; round < caseCount(60, 1000); round++) {
    const shape = Array.from({ length: random.integer(1, 4) }, () => random.pick([1, 1, 2, 3, 7, 20, 40]));
    const size = shape.reduce((a, b) => a * b, 1);
    const values = Float32Array.from({ length: size }, () => random.below(1000) / 8);
    const source = new Uint8Array(values.buffer);
    const nested = (at: number, depth: number, length: number): string => {
      if (depth === shape.length) return textOf(values[at]!, JSON_WORDS);
      const inner = length / shape[depth]!;
      return `[${Array.from({ length: shape[depth]! }, (_, i) => nested(at + i * inner, depth + 1, inner)).join(',')}]`;
    };
    const perStretch = random.integer(1, size);
    let text = '';
    for (let first = 0; first < size; first += perStretch) {
      const target = new Uint8Array(perStretch * 60 + 300);
      const stretch = source.subarray(4 * first, 4 * (first + perStretch));
      const task = { dtype: '<f4', shape, int64: 'number', source: stretch, first, target } as const;
      text += Buffer.from(target.subarray(0, encodeJsonStretch(task))).toString('latin1');
    }
    if (text !== nested(0, 0, size)) faults.push(`${shape.join('x')} by ${perStretch}: ${text.slice(0, 200)}`);
  }
  t.strictSame(faults, []);
});

/** Values of many lengths of text, some of which are no numbers. */
function mixed(length: number, seed: number): Float64Array {
  const random = seededRandom(seed);
  const others = [NaN, Infinity, -Infinity, 0, -0, 1e300, -1.5e-300];
  return Float64Array.from({ length }, () =>
    random.below(8) === 0 ? random.pick(others) : (random.next() - 0.5) * 10 ** random.integer(-9, 18),
  );
}

t.test('runs of any length, rows of any length, either byte order, and any address', async t => {
  for (const length of [1, 2, 31, 32, 33, 1023, 1024, 1025, 2500, 5000]) {
    const values = mixed(length, length);
    const texts = Array.from(values, value => textOf(value, JSON_WORDS));
    t.equal(jsonOf(blockOf(values)), `[${texts.join(',')}]`, `${length} elements`);
    t.equal(jsonOf(blockOf(values, [length, 1])), `[[${texts.join('],[')}]]`, `${length} rows`);
    const bytes = new Uint8Array(values.length * 8 + 1);
    bytes.set(new Uint8Array(values.buffer), 1);
    swapBytes(bytes.subarray(1), 8);
    const block = { dtype: numberDType('>f8'), shape: [length], bytes: bytes.subarray(1) };
    t.equal(jsonOf(block), `[${texts.join(',')}]`, `${length} big-endian elements at an odd address`);
  }
});

t.test('texts of several answers, a turn of each at a time', async t => {
  const blocks = [9000, 5000, 7000].map((length, i) => mixed(length, 100 + i));
  const turns = blocks.map(values => encodeJsonData(blockOf(values), { int64: 'number' }));
  const texts = blocks.map(() => '');
  for (let going = true; going;) {
    going = false;
    for (const [i, each] of turns.entries()) {
      const { done, value } = each.next();
      if (done) continue;
      texts[i] += Buffer.from(value).toString('latin1');
      going = true;
    }
  }
  for (const [i, values] of blocks.entries()) {
    t.equal(texts[i], `[${Array.from(values, value => textOf(value, JSON_WORDS)).join(',')}]`);
  }
});

t.test('stretches of JSON, CSV and NDJSON, each with its own words, one after the other', async t => {
  const [rows, columns] = [700, 3];
  const values = mixed(rows * columns, 5);
  const source = new Uint8Array(new SharedArrayBuffer(values.byteLength));
  source.set(new Uint8Array(values.buffer));
  const target = new Uint8Array(new SharedArrayBuffer(values.length * 64));
  const written = (end: number): string => Buffer.from(target.slice(0, end)).toString('latin1');
  const lines = (words: Words): string[] =>
    Array.from({ length: rows }, (_, row) =>
      Array.from(values.subarray(row * columns, (row + 1) * columns), value => textOf(value, words)).join(','),
    );
  const table = { dtype: '<f8', rows, columns, names: undefined, header: false, int64: 'number' } as const;
  for (let round = 0; round < 2; round++) {
    const json = { dtype: '<f8', shape: [rows, columns], int64: 'number', source, first: 0, target } as const;
    t.equal(written(encodeJsonStretch(json)), `[[${lines(JSON_WORDS).join('],[')}]]`, 'JSON');
    const csv = encoderFrom({ format: 'csv', ...table }).encode(source, 0, target);
    t.equal(
      written(csv),
      lines(CSV_WORDS)
        .map(line => `${line}\n`)
        .join(''),
      'CSV',
    );
    const ndjson = encoderFrom({ format: 'ndjson', ...table }).encode(source, 0, target);
    t.equal(
      written(ndjson),
      lines(NULLS)
        .map(line => `[${line}]\n`)
        .join(''),
      'NDJSON',
    );
  }
});
