/** Keys that sort as elements do, and keys of ranks found without sorting. */
import t from 'tap';
import { NATIVE_BYTES, NATIVE_TYPES } from '../../../src/kernels/native-types.js';
import { caseCount } from '../../helpers/cases.js';
import { seededRandom, type Random } from '../../helpers/random.js';
import { IMPLEMENTATIONS } from './implementations.js';
import { putValues, randomValue } from './values.js';

t.test('keys are those of the twin, for any type, length, distance and alignment', async t => {
  const wrong: string[] = [];
  for (const [number, type] of NATIVE_TYPES.entries()) {
    const keyBytes = NATIVE_BYTES[type] === 8 ? 8 : 4;
    for (let length = 0; length <= 67; length++) {
      const results = IMPLEMENTATIONS.map(({ kernels, bytes, base }) => {
        const random = seededRandom(length);
        const step = NATIVE_BYTES[type] * random.pick([1, 1, 3]);
        const ptr = base + random.below(16);
        const memory = new DataView(bytes.buffer);
        for (let i = 0; i < length; i++) putValues(memory, ptr + i * step, type, [randomValue(random, type, 50)]);
        const to = base + 8192 + random.below(16);
        const nans = kernels.toKeys(number, ptr, step, length, to);
        return [nans, ...bytes.subarray(to, to + keyBytes * length)].join(' ');
      });
      if (results[0] !== results[1]) wrong.push(`${length} of ${type}`);
    }
  }
  t.same(wrong, []);
});

t.test('keys sort as elements do, and NaN come last', async t => {
  const [{ kernels, bytes, base }] = IMPLEMENTATIONS as [(typeof IMPLEMENTATIONS)[0]];
  const memory = new DataView(bytes.buffer);
  const floats = [
    Number.NEGATIVE_INFINITY,
    -1e30,
    -1,
    -1e-45,
    -0,
    0,
    1e-45,
    1,
    1e30,
    Number.POSITIVE_INFINITY,
    Number.NaN,
  ];
  for (const type of ['f32', 'f64'] as const) {
    putValues(memory, base, type, floats);
    // A NaN with the sign bit comes last, too.
    putValues(memory, base + floats.length * NATIVE_BYTES[type], type, [Number.NaN]);
    bytes[base + (floats.length + 1) * NATIVE_BYTES[type] - 1]! |= 0x80;
    const count = floats.length + 1;
    t.equal(kernels.toKeys(NATIVE_TYPES.indexOf(type), base, NATIVE_BYTES[type], count, base + 4096), 2);
    const keys = Array.from({ length: count }, (_, i) =>
      type === 'f64'
        ? memory.getBigUint64(base + 4096 + 8 * i, true)
        : BigInt(memory.getUint32(base + 4096 + 4 * i, true)),
    );
    t.ok(
      keys.every((key, i) => i === 0 || key > keys[i - 1]! || i === count - 1),
      type,
    );
    t.equal(keys.at(-1), keys.at(-2), 'all NaN are one');
  }
});

/** Keys of many shapes: random, few different ones, sorted, and what makes a careless pivot slow. */
function keyMaker(random: Random, length: number): (i: number) => number {
  return random.pick<(i: number) => number>([
    () => random.below(2 ** 32),
    () => random.below(3),
    () => 7,
    i => i,
    i => length - i,
    i => (i % 2 === 0 ? i : length - i),
    i => Math.abs(i - length / 2) | 0,
    i => (i * 7919) % 101,
  ]);
}

t.test('keys of ranks are those that sorting finds', async t => {
  const wrong: string[] = [];
  for (const bits of [32, 64] as const) {
    for (let seed = 0; seed < caseCount(100, 400); seed++) {
      const results = IMPLEMENTATIONS.map(({ kernels, bytes, base }) => {
        const random = seededRandom(seed);
        const length = 1 + (seed < 68 ? seed : random.below(4000));
        const keyOf = keyMaker(random, length);
        const memory = new DataView(bytes.buffer);
        const keys = base + 64 * 1024 + random.below(16);
        for (let i = 0; i < length; i++) {
          if (bits === 32) memory.setUint32(keys + 4 * i, keyOf(i), true);
          else memory.setBigUint64(keys + 8 * i, BigInt(keyOf(i)) << 20n, true);
        }
        const all = random.next() < 0.1;
        const ranks = [
          ...new Set(
            Array.from({ length: all ? length : 1 + random.below(6) }, (_, i) => (all ? i : random.below(length))),
          ),
        ];
        ranks.sort((a, b) => a - b);
        for (const [i, rank] of ranks.entries()) memory.setUint32(base + 4 * i, rank, true);
        const to = base + 32 * 1024;
        kernels[`selectKeys${bits}`](keys, length, base, ranks.length, to);
        return bytes.slice(to, to + (bits / 8) * ranks.length).join(' ');
      });
      if (results[0] !== results[1]) wrong.push(`seed ${seed} of ${bits} bits`);
    }
  }
  t.same(wrong, []);
});
