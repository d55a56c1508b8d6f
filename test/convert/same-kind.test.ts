import { readFileSync } from 'node:fs';
import t from 'tap';
import { NUMBERS, numberDType, withByteOrder, type DType, type NumberDType } from '../../src/dtype/index.js';
import { isErrorCode } from '../../src/errors.js';
import { checkBool, incomingConversion } from '../../src/convert/index.js';
import { swapBytes } from '../../src/native.js';

/** What is written, converted whole; the same bytes where there is nothing to convert. */
function castInto(from: DType, to: DType, bytes: Uint8Array, first = 0): Uint8Array {
  const conversion = incomingConversion(from, to);
  if (conversion.isIdentity) return bytes;
  const target = new Uint8Array((bytes.length / from.itemsize) * to.itemsize);
  conversion.run(bytes, target, first);
  return target;
}

function canCast(from: DType, to: DType): boolean {
  try {
    incomingConversion(from, to);
    return true;
  } catch (error) {
    if (!isErrorCode(error, 'would_lose')) throw error;
    return false;
  }
}

const read = (name: string): unknown => JSON.parse(readFileSync(`test/fixtures/${name}`, 'utf8'));
const bytesOf = (array: NodeJS.TypedArray): Uint8Array => new Uint8Array(array.buffer);

t.test('the same pairs cast as in numpy’s same_kind, and integers to any other', async t => {
  const isInteger = (name: string): boolean => ['i', 'u'].includes(numberDType(name).kind);
  for (const row of read('can-cast.json') as { from: string; to: string[] }[]) {
    for (const { name } of NUMBERS) {
      const isDue = row.to.includes(name) || (isInteger(row.from) && isInteger(name));
      t.equal(canCast(numberDType(row.from), numberDType(name)), isDue, `${row.from} → ${name}`);
    }
  }
});

t.test('among integers the values decide: the ends of each range pass into it, and the next ones do not', async t => {
  const integers = NUMBERS.filter(row => row.kind === 'i' || row.kind === 'u').map(row => numberDType(row.name));
  const rangeOf = (dtype: NumberDType): [bigint, bigint] => {
    const bits = BigInt(8 * dtype.itemsize);
    return dtype.kind === 'u' ? [0n, 2n ** bits - 1n] : [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n];
  };
  const itemOf = (dtype: NumberDType, value: bigint): Uint8Array => {
    const item = Buffer.alloc(8);
    item.writeBigInt64LE(BigInt.asIntN(64, value));
    const bytes = new Uint8Array(item.subarray(0, dtype.itemsize));
    if (dtype.byteOrder === '>') swapBytes(bytes, dtype.itemsize);
    return bytes;
  };
  for (const native of integers) {
    for (const from of [native, withByteOrder(native, '>')]) {
      for (const to of integers.flatMap(each => [each, withByteOrder(each, '>')])) {
        const [[low, high], [min, max]] = [rangeOf(from), rangeOf(to)];
        for (const value of [low, high, min, max, min - 1n, max + 1n, -1n, 0n, 2n]) {
          if (value < low || value > high) continue;
          const title = `${value} of ${from.typestr} → ${to.typestr}`;
          const cast = (): Uint8Array => castInto(from, to, itemOf(from, value), 5);
          if (value >= min && value <= max) t.same(cast(), itemOf(to, value), title);
          else t.throws(cast, { code: 'would_lose', values: { index: 5, value: String(value) } }, title);
        }
      }
    }
  }
});

t.test('values cast to the bytes that numpy casts them to', async t => {
  for (const row of read('casts.json') as { from: string; to: string; data: string; cast: string }[]) {
    const data = new Uint8Array(Buffer.from(row.data, 'base64'));
    const before = data.slice();
    const out = castInto(numberDType(row.from), numberDType(row.to), data);
    t.same(
      Buffer.from(out).toString('hex'),
      Buffer.from(row.cast, 'base64').toString('hex'),
      `${row.from} → ${row.to}`,
    );
    t.same(data, before, 'the source is untouched');
  }
});

t.test('bytes that stand at any alignment cast alike', async t => {
  const values = Float64Array.of(1.5, -2.25, 1e-3);
  const shifted = new Uint8Array(25);
  shifted.set(bytesOf(values), 1);
  const out = castInto(numberDType('<f8'), numberDType('<f4'), shifted.subarray(1));
  t.same(out, bytesOf(Float32Array.from(values)));
});

t.test('the same dtype gives back the same bytes, and another byte order a swapped copy', async t => {
  const bytes = bytesOf(Uint16Array.of(1, 2, 0x7e01));
  for (const name of ['u2', 'i2', 'f2']) {
    t.equal(castInto(numberDType(`<${name}`), numberDType(`<${name}`), bytes), bytes);
    const swapped = castInto(numberDType(`<${name}`), numberDType(`>${name}`), bytes);
    t.not(swapped, bytes);
    const back = swapped.slice();
    swapBytes(back, 2);
    t.same(back, bytes, 'a NaN keeps its payload');
  }
});

t.test('every dtype casts to every other of its kind, in both byte orders, and back', async t => {
  const names = NUMBERS.filter(row => row.kind !== 'b').map(row => row.name);
  for (const fromName of names) {
    for (const toName of names) {
      for (const [fromOrder, toOrder] of ['<<', '<>', '><', '>>']) {
        const from = numberDType(`${fromOrder}${numberDType(fromName).typestr.slice(1)}`);
        const to = numberDType(`${toOrder}${numberDType(toName).typestr.slice(1)}`);
        if (!canCast(from, to)) continue;
        const source = castInto(numberDType('u1'), from, Uint8Array.of(0, 1, 100, 127));
        const cast = castInto(from, to, source);
        t.same(cast, castInto(numberDType('u1'), to, Uint8Array.of(0, 1, 100, 127)), `${from.typestr} → ${to.typestr}`);
      }
    }
  }
});

t.test('what would be lost is refused with its index and value', async t => {
  const table: [from: string, to: string, data: NodeJS.TypedArray, index: number, value: string][] = [
    ['<i4', '|i1', Int32Array.of(0, 127, 128), 2, '128'],
    ['<i4', '|i1', Int32Array.of(-129), 0, '-129'],
    ['<u2', '|u1', Uint16Array.of(255, 256), 1, '256'],
    ['<u4', '<i4', Uint32Array.of(2 ** 31 - 1, 2 ** 31), 1, '2147483648'],
    ['<i8', '<i4', BigInt64Array.of(2n ** 31n), 0, '2147483648'],
    ['<i8', '<i4', BigInt64Array.of(-(2n ** 31n) - 1n), 0, '-2147483649'],
    ['<i8', '<i2', BigInt64Array.of(1n, 2n ** 62n + 1n), 1, '4611686018427387905'],
    ['<u8', '<u4', BigUint64Array.of(2n ** 32n - 1n, 2n ** 32n), 1, '4294967296'],
    ['<u8', '<i8', BigUint64Array.of(2n ** 63n - 1n, 2n ** 63n), 1, '9223372036854775808'],
    ['<u8', '|i1', BigUint64Array.of(2n ** 64n - 1n), 0, '18446744073709551615'],
    ['<f8', '<f4', Float64Array.of(3.4028235e38, 3.4028236e38), 1, '3.4028236e+38'],
    ['<f8', '<f2', Float64Array.of(65519.99, -65520), 1, '-65520'],
    ['<f4', '<f2', Float32Array.of(Infinity, 1e9), 1, '1000000000'],
    ['<i4', '<f2', Int32Array.of(65519, 65520), 1, '65520'],
    ['<i8', '<f2', BigInt64Array.of(-65520n), 0, '-65520'],
    ['|b1', '|b1', Uint8Array.of(1, 0, 2), 2, '2'],
    ['|b1', '<f4', Uint8Array.of(255), 0, '255'],
  ];
  for (const [from, to, data, index, value] of table) {
    try {
      castInto(numberDType(from), numberDType(to), bytesOf(data), 1000);
      t.fail(`${from} → ${to} was not refused`);
    } catch (error) {
      if (!isErrorCode(error, 'would_lose')) throw error;
      t.match(error.values, { index: 1000 + index, value }, `${from} → ${to}`);
      t.match(error.message, value);
    }
  }
});

t.test('kinds that do not cast are refused even where there is no element', async t => {
  for (const [from, to] of [
    ['f4', 'i8'],
    ['i1', 'bool'],
    ['f2', 'u1'],
    ['u1', 'bool'],
    ['f8', 'bool'],
  ] as const) {
    t.throws(() => castInto(numberDType(from), numberDType(to), new Uint8Array(0)), { code: 'would_lose' });
  }
});

t.test('the largest values that stay finite pass, and so do NaN and infinities', async t => {
  const cast = castInto(
    numberDType('<f8'),
    numberDType('<f4'),
    bytesOf(Float64Array.of(3.4028235677973362e38, NaN, -Infinity)),
  );
  t.same([...new Float32Array(cast.buffer)], [Math.fround(3.4028234663852886e38), NaN, -Infinity]);
});

t.test('checkBool takes zeros and ones only', async t => {
  t.doesNotThrow(() => checkBool(Uint8Array.of(0, 1, 1)));
  t.throws(() => checkBool(Uint8Array.of(0, 2), 7), { code: 'would_lose', values: { index: 8, value: '2' } });
});
