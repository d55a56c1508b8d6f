import { readFileSync } from 'node:fs';
import t from 'tap';
import { float16ToFloat32, toFloat16Bits } from '../src/float16.js';

const all = float16ToFloat32(Uint16Array.from({ length: 65_536 }, (_, bits) => bits));

t.test('known bits have their values', async t => {
  const known: [number, number][] = [
    [0x0001, 2 ** -24],
    [0x03ff, 1023 * 2 ** -24],
    [0x0400, 2 ** -14],
    [0x3555, 0.333251953125],
    [0x3c00, 1],
    [0xc000, -2],
    [0x7bff, 65504],
    [0x7c00, Infinity],
    [0xfc00, -Infinity],
  ];
  for (const [bits, value] of known) t.equal(all[bits], value, bits.toString(16));
  t.ok(Object.is(all[0], 0) && Object.is(all[0x8000], -0));
  t.ok(Number.isNaN(all[0x7c01]) && Number.isNaN(all[0xffff]));
});

t.test('values ascend with their bits', async t => {
  const faults: string[] = [];
  for (let bits = 1; bits <= 0x7c00; bits++) {
    if (!(all[bits]! > all[bits - 1]!) || all[0x8000 | bits] !== -all[bits]!) faults.push(`at ${bits}`);
  }
  t.strictSame(faults.slice(0, 5), []);
});

t.test('every value narrows back to its own bits', async t => {
  const faults: string[] = [];
  for (let bits = 0; bits < 65_536; bits++) {
    const isNaN = (bits & 0x7c00) === 0x7c00 && (bits & 0x3ff) !== 0;
    const back = toFloat16Bits(all[bits]!);
    if (isNaN ? back !== 0x7e00 : back !== bits) faults.push(`${bits.toString(16)} came back as ${back.toString(16)}`);
  }
  t.strictSame(faults.slice(0, 5), []);
});

t.test('midpoints go to the even neighbour, and a hair beside them to the nearer one', async t => {
  const faults: string[] = [];
  for (let bits = 0; bits < 0x7c00; bits++) {
    const below = all[bits]!;
    const above = bits === 0x7bff ? 65_536 : all[bits + 1]!;
    const middle = (below + above) / 2;
    const even = bits % 2 === 0 ? bits : bits + 1;
    const hair = middle * 2 ** -52;
    const got = [middle, middle - hair, middle + hair, -middle].map(toFloat16Bits);
    const expected = [even, bits, bits + 1, 0x8000 | even];
    if (got.join() !== expected.join()) faults.push(`beside ${middle}: ${got.join()}, not ${expected.join()}`);
  }
  t.strictSame(faults.slice(0, 5), []);
});

t.test('doubles narrow as numpy narrows them', async t => {
  const text = readFileSync('test/fixtures/halves.json', 'utf8');
  const [row] = JSON.parse(text) as [{ values: string; bits: string }];
  const values = new Float64Array(new Uint8Array(Buffer.from(row.values, 'base64')).buffer);
  const bits = new Uint16Array(new Uint8Array(Buffer.from(row.bits, 'base64')).buffer);
  t.same(Array.from(values, toFloat16Bits), [...bits]);
  t.ok(bits.includes(0x7c00) && bits.some(each => (each & 0x7c00) === 0), 'infinity and subnormals are among them');
});

t.test('the ends: overflow, underflow, zeros, NaN', async t => {
  t.equal(toFloat16Bits(65519.999999), 0x7bff);
  t.equal(toFloat16Bits(65520), 0x7c00);
  t.equal(toFloat16Bits(-Number.MAX_VALUE), 0xfc00);
  t.equal(toFloat16Bits(2 ** -25), 0);
  t.equal(toFloat16Bits(-(2 ** -25)), 0x8000);
  t.equal(toFloat16Bits(Number.MIN_VALUE), 0);
  t.equal(toFloat16Bits(-0), 0x8000);
  t.equal(toFloat16Bits(NaN), 0x7e00);
});
