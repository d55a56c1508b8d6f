/** Seeded random queries of chosen rows, with or without groups. */
import type { QueryInput } from '../../../src/statistics/index.js';
import type { Random } from '../../helpers/random.js';
import { randomParameters } from '../histogram/random-parameters.js';
import { POSITIONAL, QUANTILE_METHODS, REDUCING } from '../cases.js';
import type { RowCaseOptions, Stored } from './row-cases.js';
import { randomFilter, randomKeys } from './row-filters.js';
import { keptRows } from './row-model.js';

export function randomQuery(
  random: Random,
  datasets: readonly Stored[],
  rank: number,
  { ops, isGrouped, isSelecting = false }: RowCaseOptions,
): QueryInput {
  const axes = Array.from({ length: rank }, (_, i) => i);
  const { itemsize, kind } = datasets[0]!.dtype;
  const isWide = itemsize === 8 && kind !== 'f';
  const where = isGrouped && random.next() < 0.4 ? undefined : randomFilter(random, datasets);
  const group = isGrouped ? randomKeys(random, datasets) : undefined;
  const chosen = ops.filter(() => random.next() < 0.4);
  if (chosen.length === 0) chosen.push(ops[0]!);
  const selecting = [random.pick(['median', randomQuantile(random)]), random.pick(['count', randomQuantile(random)])];
  let axis: number[] | null = null;
  const isPositional = chosen.some(op => POSITIONAL.includes(op));
  if (random.next() < 0.6 && !isPositional) axis = axes.filter(i => random.next() < 0.5 || (isGrouped && i === 0));
  else if (isPositional && random.next() < 0.5) axis = [random.below(rank)];
  return {
    ops: isSelecting ? [...new Map(selecting.map(op => [JSON.stringify(op).slice(0, 8), op])).values()] : chosen,
    axis,
    keepdims: random.next() < 0.2,
    // Large integers that agree as doubles have a variance here and none in the model: 0 / 0 would show it.
    ddof: isWide ? 0 : random.pick([0, 0, 1, 2]),
    bias: random.pick([true, false]),
    nan: random.pick(['propagate', 'propagate', 'omit', 'omit', 'raise']),
    ...(where !== undefined && { where }),
    ...(group !== undefined && { group_by: group }),
  };
}

function randomQuantile(random: Random): unknown {
  const q = Array.from({ length: 1 + random.below(4) }, () => random.pick([0, 1, 0.5, random.next()]));
  return {
    quantile: { q: random.next() < 0.2 ? q[0]! : q, method: random.pick(['linear', 'linear', ...QUANTILE_METHODS]) },
  };
}

/** Of all operations: those that go with the axes, several together. */
export function mixedQuery(
  random: Random,
  datasets: readonly Stored[],
  rank: number,
  { isGrouped }: RowCaseOptions,
): QueryInput {
  const axis = randomAxis(random, rank, isGrouped);
  const isAll = axis === null;
  const isOne = isAll || [axis].flat().length === 1;
  const ops: unknown[] = REDUCING.filter(() => random.next() < 0.3);
  if (random.next() < 0.35) ops.push('median');
  if (random.next() < 0.35) ops.push(randomQuantile(random));
  if (!isGrouped && isOne) ops.push(...POSITIONAL.filter(() => random.next() < 0.3));
  if (isGrouped && (rank === 1 || (!isAll && isOne))) ops.push(...['first', 'last'].filter(() => random.next() < 0.3));
  if (!isGrouped && isAll && random.next() < 0.5) ops.push({ histogram: randomParameters(random, datasets[0]!) });
  if (ops.length === 0) ops.push(random.pick(REDUCING));
  return {
    ops,
    axis,
    keepdims: random.next() < 0.3,
    ddof: random.pick([0, 0, 1, 2, 0.5, 5]),
    bias: random.pick([true, false]),
    nan: random.pick(['propagate', 'propagate', 'omit', 'omit', 'raise']),
    ...((!isGrouped || random.next() < 0.6) && { where: keepingFilter(random, datasets) }),
    ...(isGrouped && { group_by: randomKeys(random, datasets) }),
  };
}

/** Mostly one that keeps something. */
function keepingFilter(random: Random, datasets: readonly Stored[]): unknown {
  const filters = Array.from({ length: 2 }, () => randomFilter(random, datasets) as Record<string, unknown>);
  return filters.find(filter => keptRows(filter, datasets[0]!, datasets).includes(true)) ?? filters[0];
}

/** Axis 0 is reduced, where rows are grouped; else it may be kept. */
function randomAxis(random: Random, rank: number, isGrouped: boolean): QueryInput['axis'] {
  const kind = random.next();
  if (kind < 0.35) return null;
  if (kind < 0.6) return isGrouped ? random.pick([0, -rank]) : random.below(2 * rank) - rank;
  const axes = Array.from({ length: rank }, (_, i) => i).filter(i => random.next() < 0.5 || (isGrouped && i === 0));
  return random.next() < 0.5 ? axes : axes.map(each => each - rank).toReversed();
}
