/** Seeded random parameters of histograms: bins, bins in a range, and edges. */
import type { NumberDType } from '../../../src/dtype/index.js';
import type { Random } from '../../helpers/random.js';
import type { Value } from '../cases.js';

interface Elements {
  readonly dtype: NumberDType;
  readonly values: readonly Value[];
}

/** A finite value of the data, or something near. */
function somewhere(random: Random, { values }: Elements): number {
  const value = values.length > 0 ? Number(random.pick(values)) : 0;
  const shift = random.next() < 0.5 ? 0 : (random.next() - 0.5) * 4;
  return Number.isFinite(value) ? value + shift : shift;
}

export function randomParameters(random: Random, each: Elements): object {
  const bins = random.pick([1, 2, 3, 10, 10, 100, each.dtype.itemsize > 2 ? 500 : 50]);
  const kind = random.next();
  if (kind < 0.35) return { bins };
  const pair = [somewhere(random, each), somewhere(random, each)].sort((a, b) => a - b);
  if (kind < 0.7) return { bins, range: random.next() < 0.05 ? [pair[0], pair[0]] : pair };
  const edges = Array.from({ length: 2 + random.below(12) }, () => somewhere(random, each));
  if (random.next() < 0.2) edges.push(edges[0]!);
  const sorted: (number | string)[] = edges.sort((a, b) => a - b);
  if (random.next() < 0.1) sorted.unshift('-Infinity');
  if (random.next() < 0.1) sorted.push('Infinity');
  return { edges: sorted };
}
