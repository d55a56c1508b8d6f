/** Seeded random filters and keys of rows: subjects, comparisons, lists, semi-joins, nests, bins. */
import type { NumberDType } from '../../../src/dtype/index.js';
import type { Random } from '../../helpers/random.js';
import type { Value } from '../cases.js';
import type { Stored } from './row-cases.js';

/** The JSON of a subject, and the dataset and values that it means. */
function randomSubject(
  random: Random,
  [main, near]: readonly Stored[],
): { subject: Record<string, unknown>; values: readonly Value[]; dtype: NumberDType } {
  const kind = random.below(2);
  if (kind === 0 && main!.shape.length === 1)
    return { subject: { self: true }, values: main!.values, dtype: main!.dtype };
  if (kind === 0 && main!.shape.length === 2 && main!.shape[1]! > 0) {
    const width = main!.shape[1]!;
    const column = random.below(2 * width) - width;
    const at = (column + width) % width;
    return {
      subject: { column },
      values: main!.values.filter((_, i) => i % width === at),
      dtype: main!.dtype,
    };
  }
  return { subject: { dataset: 'near' }, values: near!.values, dtype: near!.dtype };
}

/** Now and then one that keeps nothing, everything, or one row. */
export function randomFilter(random: Random, datasets: readonly Stored[]): unknown {
  const kind = random.next();
  if (kind > 0.12) return nestedFilter(random, datasets, 3);
  const { subject } = randomSubject(random, datasets);
  if (kind < 0.03) return { ...subject, in: [] };
  if (kind < 0.06) return { or: [{ ...subject, is_nan: true }, { not: { ...subject, is_nan: true } }] };
  return { dataset: 'numbers', eq: random.below(datasets[0]!.shape[0]! + 1) };
}

function nestedFilter(random: Random, datasets: readonly Stored[], depth: number): unknown {
  const kind = depth > 1 ? random.next() : 0;
  if (kind > 0.85) return { not: nestedFilter(random, datasets, depth - 1) };
  if (kind > 0.55) {
    const parts = Array.from({ length: 1 + random.below(3) }, () => nestedFilter(random, datasets, depth - 1));
    return { [random.pick(['and', 'or'])]: parts };
  }
  const { subject, values, dtype } = randomSubject(random, datasets);
  const literal = (): unknown => randomLiteral(random, dtype, values);
  const test: Record<string, unknown> = { ...subject };
  for (let i = 1 + random.below(2); i > 0; i--) {
    const name = random.pick(['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'between', 'in', 'in', 'is_nan', 'join']);
    if (name === 'between') test[name] = [literal(), literal()];
    else if (name === 'in') test[name] = Array.from({ length: random.below(random.pick([4, 40])) }, literal);
    else if (name === 'is_nan') test[name] = random.next() < 0.3;
    else if (name === 'join') {
      const where = random.next() < 0.3 ? { self: true, ...codesTest(random, datasets[2]!) } : undefined;
      test['in'] = { dataset: 'codes', ...(where && { where }) };
    } else test[name] = literal();
  }
  return test;
}

function codesTest(random: Random, codes: Stored): Record<string, unknown> {
  return { [random.pick(['ge', 'ne', 'le'])]: randomLiteral(random, codes.dtype, codes.values) };
}

/** A number that is there, or close, or special. */
function randomLiteral(random: Random, dtype: NumberDType, values: readonly Value[]): unknown {
  if (dtype.kind === 'b') return random.next() < 0.5;
  const value = values.length === 0 ? 0 : random.pick(values);
  const kind = random.next();
  if (kind < 0.05) return random.pick(['NaN', 'Infinity', '-Infinity']);
  if (kind < 0.2)
    return (typeof value === 'bigint' ? Number(BigInt.asIntN(53, value)) : Number.isFinite(value) ? value : 1) + 0.5;
  if (kind < 0.3) return random.pick([0, -1, 300, 1e30, 0.1]);
  if (typeof value === 'bigint') {
    if (dtype.itemsize === 8 && random.next() < 0.3) return String(value);
    return Number.isSafeInteger(Number(value)) ? Number(value) : value + BigInt(random.below(3) - 1);
  }
  return Number.isFinite(value) ? value : String(value);
}

export function randomKeys(random: Random, datasets: readonly Stored[]): unknown {
  const key = (): Record<string, unknown> => {
    if (random.next() < 0.05) return { dataset: 'numbers' };
    const { subject, values, dtype } = randomSubject(random, datasets);
    if (dtype.kind === 'b' || random.next() < 0.6) return subject;
    return { ...subject, bins: randomEdges(random, values) };
  };
  return random.next() < 0.6 ? key() : Array.from({ length: 1 + random.below(3) }, key);
}

/** Pass numbers and values that are there, ascending; now and then everything above is in the last bin. */
function randomEdges(random: Random, values: readonly Value[]): unknown[] {
  const finite = values.filter(value => typeof value === 'bigint' || Number.isFinite(value));
  const edge = (): Value =>
    finite.length > 0 && random.next() < 0.6
      ? random.pick(finite)
      : random.pick([-3, -1, 0, 0.1, 0.5, 1, 2, 3, 50, 200, 1e6]);
  const drawn = Array.from({ length: 2 + random.below(4) }, edge).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const edges: unknown[] = drawn.filter((each, i) => i === 0 || drawn[i - 1]! < each);
  if (edges.length < 2 || random.next() < 0.2) edges.push('Infinity');
  return edges;
}
