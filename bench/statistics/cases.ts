/** What is asked of everybody, with the aims, as one table. The names are those that the contenders know. */

/** How answers are compared with the reference. */
export type Rule =
  /** Relative 1e-9: sums in float64, in whatever order. */
  | 'nearly'
  /** Counts and values of the data, to the bit. */
  | 'exact'
  /** Between two neighbours of the data, which some interpolate in float32 and some in float64. */
  | 'to-float32';

export type ContenderName =
  'numpy' | 'numpy, 2 processes' | 'numba, plain' | 'numba, tuned' | 'dask' | 'polars' | 'duckdb' | 'bottleneck';

export interface StatisticsCase {
  readonly name: string;
  readonly title: string;
  readonly dataset: 'big' | 'part';
  /** The query of CONTRACT 5, as JSON. */
  readonly query: object;
  readonly format: 'json' | 'npy';
  /** From our JSON answer to what the contenders answer: a number or a list. Answers as npy are taken whole. */
  readonly pick: (answer: Answer) => unknown;
  readonly rule: Rule;
  /** Ours / the best correct other, in time. */
  readonly aim: number;
  /** Who counts as the other, where not all do. */
  readonly others?: readonly ContenderName[];
  /** Ours / what C needs to read the same file once. */
  readonly limitAim?: number;
  readonly limitOf: 'big' | 'part' | null;
}

export interface Answer {
  readonly results: Readonly<Record<string, unknown>>;
  readonly scanned_bytes: number;
  readonly elapsed_ms: number;
  readonly groups?: readonly { readonly key: unknown; readonly results: Readonly<Record<string, number>> }[];
}

const QUANTILES = [0.1, 0.25, 0.5, 0.75, 0.9];
const histogram = { histogram: { bins: 100, range: [0, 1] } };
const quantile = { quantile: { q: QUANTILES } };
const BUT_NUMBA = ['numpy', 'numpy, 2 processes', 'dask', 'polars', 'duckdb', 'bottleneck'] as const;

export const CASES: readonly StatisticsCase[] = [
  whole('sum', 'sum', { ops: ['sum'] }, { aim: 0.6, limitAim: 1.3 }),
  whole('mean', 'mean', { ops: ['mean'] }, { aim: 0.6, limitAim: 1.3 }),
  whole('minmax', 'min and max', { ops: ['min', 'max'] }, { aim: 1.2, limitAim: 1.3, rule: 'exact' }),
  whole('mean_axis1', 'mean(axis=1), as npy', { ops: ['mean'], axis: 1 }, { aim: 1.3, format: 'npy' }),
  whole('std', 'std', { ops: ['std'] }, { aim: 0.5, limitAim: 2 }),
  whole('moments', 'mean, std, min, max in one', { ops: ['mean', 'std', 'min', 'max'] }, { aim: 0.5, limitAim: 2 }),
  whole('std_axis0', 'std(axis=0)', { ops: ['std'], axis: 0 }, { aim: 1 }),
  whole('histogram', 'histogram, 100 bins', { ops: [histogram] }, { aim: 0.6, rule: 'exact', pick: countsOf }),
  part('median_25m', 'median of 25 M', { ops: ['median'] }, { aim: 0.8 }),
  whole('median_250m', 'median of 250 M', { ops: ['median'] }, { aim: 0.8, rule: 'to-float32' }),
  part('quantiles_25m', 'five quantiles of 25 M', { ops: [quantile] }, { aim: 1 }),
  whole('quantiles_250m', 'five quantiles of 250 M', { ops: [quantile] }, { aim: 1, rule: 'to-float32' }),
  whole(
    'grouped_mean',
    'mean by 10 groups where a column > 0.5',
    { ops: ['mean'], slice: ':,2', where: { column: 1, gt: 0.5 }, group_by: { column: 0 } },
    { aim: 0.5, pick: groupsOf('mean'), others: BUT_NUMBA, limitOf: null },
  ),
  part(
    'grouped_median',
    'median by 1,000 groups of 25 M',
    { ops: ['median'], group_by: { dataset: 'keys' } },
    { aim: 0.5, pick: groupsOf('median'), others: ['polars', 'duckdb'], limitOf: null },
  ),
];

type Choices = Pick<StatisticsCase, 'aim'> & Partial<StatisticsCase>;

function whole(name: string, title: string, query: object, choices: Choices): StatisticsCase {
  return {
    name,
    title,
    dataset: 'big',
    query,
    format: 'json',
    pick: allOf,
    rule: 'nearly',
    limitOf: 'big',
    ...choices,
  };
}

function part(name: string, title: string, query: object, choices: Choices): StatisticsCase {
  return whole(name, title, query, { dataset: 'part', rule: 'to-float32', limitOf: 'part', ...choices });
}

/** One number or list, or several in the order of the operations. */
function allOf({ results }: Answer): unknown {
  const values = Object.values(results);
  return values.length === 1 ? values[0] : values;
}

function countsOf({ results }: Answer): unknown {
  return (results['histogram'] as { counts: number[] }).counts;
}

/** The keys are 0, 1, 2 … without gaps, which is checked here since contenders answer without keys. */
function groupsOf(operation: string): StatisticsCase['pick'] {
  return ({ groups = [] }) =>
    groups.map(({ key, results }, i) => (Number([key].flat()[0]) === i ? results[operation] : undefined));
}
