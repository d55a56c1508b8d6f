import t from 'tap';
import { NUMBERS, numberDType } from '../src/dtype/index.js';
import { swapBytes, toNative, type NativeArray } from '../src/native.js';

/** The stupid model: DataView, one element at a time. */
function elementOf(typestr: string, bytes: Uint8Array, index: number): number | bigint {
  const { kind, itemsize } = numberDType(typestr);
  const little = !typestr.startsWith('>');
  const view = new DataView(bytes.buffer, bytes.byteOffset + index * itemsize, itemsize);
  if (kind === 'b') return view.getUint8(0);
  if (kind === 'f') {
    if (itemsize === 8) return view.getFloat64(0, little);
    return itemsize === 4 ? view.getFloat32(0, little) : halfOf(view.getUint16(0, little));
  }
  const item = bytes.slice(index * itemsize, (index + 1) * itemsize);
  if (little) swapBytes(item, itemsize);
  const digits = BigInt(`0x${Buffer.from(item).toString('hex')}`);
  const value = kind === 'u' ? digits : BigInt.asIntN(8 * itemsize, digits);
  return itemsize === 8 ? value : Number(value);
}

function halfOf(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? (1024 + fraction) * 2 ** (exponent - 25) : fraction * 2 ** -24);
}

const CONSTRUCTORS: Record<string, new () => NativeArray> = {
  bool: Uint8Array,
  float16: Float32Array,
  float32: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
};

t.test('bytes of every dtype, order and alignment become the numbers that DataView reads', async t => {
  for (const row of NUMBERS) {
    for (const order of row.itemsize === 1 ? ['|'] : ['<', '>']) {
      const typestr = `${order}${row.kind}${row.itemsize}`;
      for (const start of [0, 1, 4, 8]) {
        const buffer = Uint8Array.from({ length: start + 20 * row.itemsize }, (_, i) => (i * 89 + 17) & 0xff);
        const bytes = buffer.subarray(start);
        const before = bytes.slice();
        const native = toNative(numberDType(typestr), bytes);
        t.ok(native instanceof CONSTRUCTORS[row.name]!);
        t.same(
          [...native],
          Array.from({ length: 20 }, (_, i) => elementOf(typestr, bytes, i)),
          `${typestr} at ${start}`,
        );
        t.same(bytes, before, 'the bytes are untouched');
      }
    }
  }
});

t.test('native, aligned bytes are looked at in place', async t => {
  const bytes = new Uint8Array(16);
  t.equal(toNative(numberDType('<i4'), bytes).buffer, bytes.buffer);
  t.equal(toNative(numberDType('<i4'), bytes.subarray(4)).byteOffset, 4);
  t.not(toNative(numberDType('>i4'), bytes).buffer, bytes.buffer);
  t.not(toNative(numberDType('<i4'), bytes.subarray(2, 10)).buffer, bytes.buffer);
});

t.test('swapBytes reverses each item in place, at any alignment', async t => {
  for (const itemsize of [1, 2, 4, 8]) {
    for (const count of [0, 1, 5, 100]) {
      const buffer = Uint8Array.from({ length: 3 + count * itemsize }, (_, i) => i & 0xff);
      const bytes = buffer.subarray(3);
      const expected = Array.from({ length: count }, (_, i) =>
        Array.from(bytes.slice(i * itemsize, (i + 1) * itemsize).toReversed()),
      );
      swapBytes(bytes, itemsize);
      t.same([...bytes], expected.flat(), `${count} items of ${itemsize} bytes`);
      t.same([...buffer.subarray(0, 3)], [0, 1, 2]);
    }
  }
});

t.test('no bytes are no elements', async t => {
  for (const row of NUMBERS) t.equal(toNative(numberDType(row.name), new Uint8Array(0)).length, 0);
});
