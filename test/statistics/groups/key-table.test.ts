/** Tables of keys, and their order, against a map and a sort. */
import t from 'tap';
import { KeyTable, sortedGroupIndices } from '../../../src/grouping/key-table.js';
import { seededRandom } from '../../helpers/random.js';

/** Codes of `parts` parts each, of which some are alike and some differ in one digit only. */
function keysOf(seed: number, count: number, parts: number): BigUint64Array {
  const random = seededRandom(seed);
  const shifts = [0n, 16n, 32n, 48n];
  // Of one part there would be few that differ.
  const below = parts === 1 ? 10 * count + 1 : 3000;
  return BigUint64Array.from({ length: count * parts }, () => BigInt(random.below(below)) << random.pick(shifts));
}

for (const [count, parts] of [
  [0, 1],
  [500, 1],
  [500, 3],
  [30_000, 1],
  [30_000, 2],
  [100_000, 1],
] as const) {
  t.test(`${count} keys of ${parts} parts have a group index each, and an order`, async t => {
    const keys = keysOf(count + parts, count, parts);
    const words = new Uint32Array(keys.buffer);
    const table = new KeyTable(parts);
    const known = new Map<string, number>();
    for (let i = 0; i < count; i++) {
      const name = keys.subarray(i * parts, (i + 1) * parts).join();
      if (!known.has(name)) known.set(name, known.size);
      if (table.groupIndexOf(words, i * 2 * parts) !== known.get(name)) t.fail(`key ${i}`);
    }
    t.equal(table.size, known.size);
    const sorting = sortedGroupIndices(table);
    let step = sorting.next();
    while (!step.done) step = sorting.next();
    const partsOf = (name: string): bigint[] => name.split(',').map(BigInt);
    const expected = [...known].sort(([a], [b]) => {
      const [left, right] = [partsOf(a), partsOf(b)];
      const at = left.findIndex((part, i) => part !== right[i]);
      return left[at]! < right[at]! ? -1 : 1;
    });
    t.strictSame(
      [...step.value],
      expected.map(([, groupIndex]) => groupIndex),
    );
  });
}
