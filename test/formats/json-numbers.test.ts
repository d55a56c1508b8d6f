import { readFileSync } from 'node:fs';
import t from 'tap';
import { float16ToFloat32, toFloat16Bits } from '../../src/float16.js';
import { NUMBER_BYTES_MAX, writeInteger } from '../../src/formats/json-digits.js';
import { writeFloat16, writeFloat32, writeFloat64 } from '../../src/formats/json-floats.js';
import { seededRandom } from '../helpers/random.js';

type FloatName = 'float16' | 'float32' | 'float64';
interface ReprRow {
  dtype: FloatName;
  bits: string[];
  texts: string[];
}

const target = Buffer.alloc(64);
const floatView = new DataView(new ArrayBuffer(8));

/** The text for the bits of a float, and a check that it keeps to its room and its place. */
function textOf(dtype: FloatName, bits: bigint): string {
  target.fill('#');
  let end: number;
  floatView.setBigUint64(0, bits);
  if (dtype === 'float16') {
    end = writeFloat16(float16ToFloat32(Uint16Array.of(Number(bits)))[0]!, Number(bits), target, 1);
  } else if (dtype === 'float32') end = writeFloat32(floatView.getFloat32(4), floatView.getInt32(4), target, 1);
  else end = writeFloat64(floatView.getFloat64(0), target, 1);
  if (target[0] !== 0x23 || target[1 + NUMBER_BYTES_MAX] !== 0x23 || end > 1 + NUMBER_BYTES_MAX) {
    throw new Error(`${dtype} ${bits.toString(16)} left its room: ${target.toString('latin1')}`);
  }
  return target.toString('latin1', 1, end);
}

const float32Text = (value: number): string => {
  floatView.setFloat32(0, value);
  return textOf('float32', BigInt(floatView.getUint32(0)));
};
const float64Text = (value: number): string => {
  floatView.setFloat64(0, value);
  return textOf('float64', floatView.getBigUint64(0));
};

/** Digits and exponent, however the number is spelled: '120.0' and '1.2e+2' are both '12e1'. */
function canonical(text: string): string {
  const [mantissa, exponent = '0'] = text.split('e') as [string, string?];
  const [whole, fraction = ''] = mantissa.split('.') as [string, string?];
  const digits = (whole + fraction).replace(/^(-?)0+(?=\d)/, '$1');
  const trimmed = digits.replace(/0+$/, '');
  return `${trimmed}e${Number(exponent) - fraction.length + digits.length - trimmed.length}`;
}

t.test('floats have numpy’s shortest digits, at every precision', async t => {
  const faults: string[] = [];
  const rows = JSON.parse(readFileSync('test/fixtures/float-reprs.json', 'utf8')) as ReprRow[];
  for (const { dtype, bits, texts } of rows) {
    t.ok(bits.length > 500);
    const sign = 1n << (dtype === 'float16' ? 15n : dtype === 'float32' ? 31n : 63n);
    for (const [i, hex] of bits.entries()) {
      const pattern = BigInt(`0x${hex}`);
      const text = textOf(dtype, pattern);
      if (pattern !== 0n && canonical(text) !== canonical(texts[i]!))
        faults.push(`${text}, not ${texts[i]}: ${dtype} ${hex}`);
      if (textOf(dtype, sign | pattern) !== `-${text}`) faults.push(`${dtype} ${hex} differs when negative`);
      if (!Object.is(JSON.parse(text), Number(text)) || !/[.e]/.test(text)) faults.push(`${text} is no JSON float`);
    }
    t.strictSame(faults.slice(0, 5), [], `${bits.length} values of ${dtype}`);
  }
});

t.test('every float16 reads back as itself, with no fewer digits possible', async t => {
  const faults: string[] = [];
  for (let bits = 0; bits < 0x7c00; bits++) {
    const text = textOf('float16', BigInt(bits));
    if (toFloat16Bits(Number(text)) !== bits) faults.push(`${text} reads back as other bits than ${bits}`);
    const digits = canonical(text).split('e')[0]!.length;
    const shorter = digits > 1 && toFloat16Bits(Number(Number(text).toPrecision(digits - 1))) === bits;
    if (shorter) faults.push(`${text} has a digit too many`);
  }
  t.strictSame(faults.slice(0, 5), []);
});

t.test('random float32 of any size read back, and are shortest beside a slow search', async t => {
  const faults: string[] = [];
  const random = seededRandom(42);
  for (let round = 0; round < 60_000; round++) {
    const bits = random.below(2 ** 31);
    if (bits >= 0x7f80_0000 || bits === 0) continue;
    const text = textOf('float32', BigInt(bits));
    floatView.setInt32(0, bits);
    const value = floatView.getFloat32(0);
    if (Math.fround(Number(text)) !== value) faults.push(`${text} does not read back as ${value}`);
    let digits = 1;
    while (Math.fround(Number(value.toPrecision(digits))) !== value) digits++;
    if (canonical(text) !== canonical(value.toPrecision(digits))) {
      // Beside powers of two a shortest decimal may lie above the nearest one; ties go to the even one.
      const isTieOrPower =
        (bits & 0x7f_ffff) === 0 ||
        Math.abs(Number(text) - value) <= Math.abs(Number(value.toPrecision(digits)) - value);
      if (!isTieOrPower) faults.push(`${text}, but ${value.toPrecision(digits)} is as short and nearer`);
    }
  }
  t.strictSame(faults.slice(0, 5), []);
});

t.test('float32 decimals come back as they were typed', async t => {
  for (let hundredths = 1; hundredths < 100_000; hundredths += 7) {
    const typed = hundredths / 100;
    if (canonical(float32Text(typed)) !== canonical(String(typed))) t.equal(float32Text(typed), String(typed));
  }
  t.equal(float32Text(0.1), '0.1');
});

t.test('whole floats keep a point, and large ones an exponent', async t => {
  t.equal(float32Text(1), '1.0');
  t.equal(float32Text(-0), '-0.0');
  t.equal(float32Text(16_777_216), '16777216.0');
  t.equal(float32Text(1e10), '10000000000.0');
  t.equal(float32Text(1e16), '1e+16');
  t.equal(float32Text(1e-6), '0.000001');
  t.equal(float32Text(1.5e-7), '1.5e-7');
  t.equal(float64Text(0), '0.0');
  t.equal(float64Text(-0), '-0.0');
  t.equal(float64Text(-1234), '-1234.0');
  t.equal(float64Text(999_999_999), '999999999.0');
  t.equal(float64Text(1e9), '1000000000.0');
  t.equal(float64Text(9_999_999_999_999_998), '9999999999999998.0');
  t.equal(float64Text(1e16), '1e+16');
  t.equal(float64Text(12_345_678_901_234_567_000), '1.2345678901234567e+19');
  t.equal(float64Text(1e21), '1e+21');
  t.equal(float64Text(0.5), '0.5');
  t.equal(float64Text(0.000_001), '0.000001');
  t.equal(float64Text(1e-7), '1e-7');
  t.equal(float64Text(123_456_789.000_001), '123456789.000001');
  t.equal(textOf('float16', 0x3c00n), '1.0');
  t.equal(textOf('float16', 0x8000n), '-0.0');
  t.equal(textOf('float16', 0x7bffn), '65500.0');
});

t.test('NaN and infinities are quoted', async t => {
  for (const text of [float32Text, float64Text]) {
    t.equal(text(NaN), '"NaN"');
    t.equal(text(Infinity), '"Infinity"');
    t.equal(text(-Infinity), '"-Infinity"');
  }
  t.equal(textOf('float32', 0xffc0_0001n), '"NaN"', 'whatever its sign');
  t.equal(textOf('float16', 0x7c00n), '"Infinity"');
  t.equal(textOf('float16', 0xfc00n), '"-Infinity"');
  t.equal(textOf('float16', 0xfe00n), '"NaN"');
});

t.test('float64 has JavaScript’s digits, whichever path writes them', async t => {
  const faults: string[] = [];
  const random = seededRandom(7);
  for (let round = 0; round < 20_000; round++) {
    const bits = random.below(2 ** 32);
    for (const value of [
      bits / 1e6,
      bits / 1e7,
      bits / 2 ** 20,
      bits / 2 ** 32,
      bits * 1e6,
      bits * 2 ** 30,
      1 / bits,
    ]) {
      const text = float64Text(value);
      if (canonical(text) !== canonical(String(value))) faults.push(`${text}, not ${value}`);
      if (Number(text) !== value) faults.push(`${text} does not read back as ${value}`);
    }
  }
  t.strictSame(faults.slice(0, 5), []);
});

t.test('integers have all their digits', async t => {
  const integers = [0, 1, 9, 10, 2 ** 31, 2 ** 32 - 1, 999_999_999, 1e9, 1e9 + 1, Number.MAX_SAFE_INTEGER];
  for (let power = 1; power < 16; power++) integers.push(10 ** power - 1, 10 ** power, 10 ** power + 1);
  for (const value of integers) {
    for (const signed of [value, -value]) {
      const end = writeInteger(signed, target, 3);
      t.equal(target.toString('latin1', 3, end), String(signed));
    }
  }
});
