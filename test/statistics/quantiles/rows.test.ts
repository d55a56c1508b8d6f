/** Medians and quantiles of chosen rows, gathered and searched in passes, against sorted lists. */
import { computePlan, PLAN_BOUNDS, planQuery, sourceFrom } from '../../../src/statistics/index.js';
import t from 'tap';
import { numberDType } from '../../../src/dtype/index.js';
import { isErrorCode } from '../../../src/errors.js';
import { parseSlice } from '../../../src/selection.js';
import { caseCount } from '../../helpers/cases.js';
import { seededRandom } from '../../helpers/random.js';
import { atOnce } from '../../../src/turns.js';

const TAKEN = [
  ['', (): boolean => true],
  [':', (): boolean => true],
  ['::2', (i: number): boolean => i % 2 === 0],
  ['1:', (i: number): boolean => i > 0],
] as const;

function middleOf(list: readonly number[]): number {
  const sorted = list.toSorted((a, b) => a - b);
  const upper = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[upper]! : (sorted[upper - 1]! + sorted[upper]!) / 2;
}

/** Undefined, or what is wrong; 'refused' where too many cells would have to be searched. */
function check(seed: number): string | undefined {
  const random = seededRandom(seed);
  const [length, width] = [1 + random.below(40), 1 + random.below(8)];
  const dtype = numberDType(random.pick(['<f4', '<i8']));
  const data = Array.from({ length }, () => Array.from({ length: width }, () => random.below(100) - 50));
  const flat = data.flat();
  const array = dtype.kind === 'f' ? Float32Array.from(flat) : BigInt64Array.from(flat, BigInt);
  const view = { shape: [length, width], strides: [width * dtype.itemsize, dtype.itemsize], offset: 0 };
  const axis = random.pick([null, 0, 1]);
  const [slice, isTaken] = random.pick(TAKEN);
  const above = random.below(100) - 50;
  const quantiles = {
    ...PLAN_BOUNDS.quantiles,
    cellBytesMax: random.pick([0, 0, 200, 2 ** 24]),
    soleCellElementsMax: 0,
  };
  const search = { ...PLAN_BOUNDS.search, collectedMax: random.pick([0, 5]), rangesMax: random.pick([1, 1000]) };
  const bounds = {
    ...PLAN_BOUNDS,
    chunkBytesMax: random.pick([100, 400, 2 ** 20]),
    tileBytesMax: 64,
    quantiles,
    search,
  };
  const rows = data.filter(([first]) => first! > above).filter((_, i) => isTaken(i));
  const columns = Array.from({ length: width }, (_, i) => rows.map(row => row[i]!));
  const cells = axis === null ? [rows.flat()] : axis === 0 ? columns : rows;
  const ends = [Math.min, Math.max].flatMap(end => cells.map(cell => (cell.length > 0 ? end(...cell) : Number.NaN)));
  const ops = ['median', { quantile: { q: [0, 1], method: 'lower' } }];
  const self = { name: 'self', dtype, shape: view.shape, view };
  const query = { ops, axis, where: { column: 0, gt: above } };
  const none = (): never => t.fail('reads no other dataset') as never;
  try {
    const { plan } = atOnce(planQuery(query, self, slice === '' ? [] : parseSlice(slice), none, { bounds }));
    const [median, quantile] = computePlan(plan, [sourceFrom(new Uint8Array(array.buffer))]).results;
    const found = [Array.from(median!.values, Number), Array.from(quantile!.values, Number)];
    const wanted = [cells.map(middleOf), ends];
    return found.join(';') === wanted.join(';')
      ? undefined
      : `seed ${seed}: ${found.join(';')}, not ${wanted.join(';')}`;
  } catch (error) {
    return isErrorCode(error, 'too_large') ? 'refused' : `seed ${seed}: ${String(error)}`;
  }
}

t.test('chosen rows have the medians and quantiles of what is chosen', async t => {
  const found = Array.from({ length: caseCount(120, 800) }, (_, seed) => check(seed));
  t.same(found.filter(each => each !== undefined && each !== 'refused').slice(0, 3), []);
  t.ok(found.filter(each => each === 'refused').length < found.length / 4, 'most are answered');
});
