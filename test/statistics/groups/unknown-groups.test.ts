/** Grouped medians where a sample has told next to nothing about the groups: what was counted by buckets is given up. */
import t from 'tap';
import { numberDType } from '../../../src/dtype/index.js';
import { packedView } from '../../../src/layout/view.js';
import { computePlan, PLAN_BOUNDS, planQuery, sourceFrom } from '../../../src/statistics/index.js';
import { seededRandom } from '../../helpers/random.js';
import { atOnce } from '../../../src/turns.js';

const ROWS = 50_000;
/** A sample is of the first rows of every so many: see sampleScan. */
const PIECE_ROWS = 2048;

function columnOf(name: string, values: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>) {
  const dtype = numberDType(values instanceof Float32Array ? '<f4' : '<i4');
  const shape = [values.length];
  return { name, dtype, shape, view: packedView(shape, 4, 'C', 0), file: new Uint8Array(values.buffer) };
}

t.test('medians of groups that no sample knew are those of their values, NaN or not', async t => {
  const random = seededRandom(5);
  // One group in the pieces that are sampled, two rows of each other one elsewhere.
  const keys = Int32Array.from({ length: ROWS }, (_, i) =>
    Math.floor(i / PIECE_ROWS) % 2 === 0 ? 0 : 1 + (i % (PIECE_ROWS / 2)) + PIECE_ROWS * Math.floor(i / PIECE_ROWS),
  );
  const values = Float32Array.from({ length: ROWS }, () => random.next() - 0.5);
  for (const nan of ['propagate', 'omit'] as const) {
    if (nan === 'omit') for (let i = 0; i < ROWS; i += 7) values[i] = Number.NaN;
    const datasets = [columnOf('values', values), columnOf('keys', keys)];
    const find = (name: string) => datasets.find(each => each.name === name)!;
    const bounds = { search: { ...PLAN_BOUNDS.search, sampledMin: 0 } };
    const query = { ops: ['median'], nan, group_by: { dataset: 'keys' } };
    const { plan, sources } = atOnce(planQuery(query, datasets[0]!, [], find, { bounds }));
    const { grouped, results } = computePlan(
      plan,
      sources.map(source => sourceFrom(find(source.name).file)),
    );
    const expected = mediansOf(keys, values);
    t.strictSame([...grouped!.keys[0]!.values], [...expected.keys()]);
    t.strictSame(
      [...results[0]!.values],
      [...expected.values()].map(({ median }) => median),
    );
    t.strictSame(
      [...grouped!.counts.values],
      [...expected.values()].map(({ count }) => count),
    );
  }
});

t.test('medians of zeros have the sign of what is in the middle, by groups and without', async t => {
  const values = Float32Array.of(-0, -0, 0, -0, 0, 0, -1, -0, 1);
  const keys = Int32Array.of(1, 1, 2, 2, 2, 3, 4, 4, 4);
  for (const sampledMin of [0, 1e9]) {
    for (const [collectedMax, cellBytesMax] of [
      [0, 0],
      [1000, 1000],
    ] as const) {
      const bounds = {
        search: { ...PLAN_BOUNDS.search, sampledMin, collectedMax },
        quantiles: { ...PLAN_BOUNDS.quantiles, cellBytesMax },
      };
      const datasets = [columnOf('values', values), columnOf('keys', keys)];
      const find = (name: string) => datasets.find(each => each.name === name)!;
      const mediansOf = (group_by?: object): number[] => {
        const query = { ops: ['median'], ...(group_by && { group_by }) };
        const { plan, sources } = atOnce(planQuery(query, datasets[0]!, [], find, { bounds }));
        const files = sources.map(source => sourceFrom(find(source.name).file));
        return Array.from(computePlan(plan, files).results[0]!.values, Number);
      };
      const found = [...mediansOf({ dataset: 'keys' }), ...mediansOf()];
      const expected = [-0, 0, 0, -0, -0];
      t.ok(
        found.every((value, i) => Object.is(value, expected[i])),
        found.map(value => (Object.is(value, -0) ? '-0' : value)).join(' '),
      );
    }
  }
});

function mediansOf(keys: Int32Array, values: Float32Array): Map<number, { median: number; count: number }> {
  const groups = new Map<number, number[]>();
  for (const [i, key] of keys.entries()) {
    const own = groups.get(key) ?? [];
    groups.set(key, own);
    if (!Number.isNaN(values[i]!)) own.push(values[i]!);
  }
  return new Map(
    [...groups]
      .sort(([a], [b]) => a - b)
      .map(([key, own]) => {
        const sorted = own.sort((a, b) => a - b);
        const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
        const median = low === undefined ? Number.NaN : Math.fround((low + high!) / 2);
        return [key, { median, count: own.length }];
      }),
  );
}
