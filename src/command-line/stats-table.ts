/** Statistics as tables: a row for each operation, for each group, or for each position along the axis that is left. */
import { plain, table } from './output.js';

export interface StatisticsAnswer {
  readonly results: Readonly<Record<string, unknown>>;
  readonly groups?: readonly {
    readonly key: unknown;
    readonly count: unknown;
    readonly results: Readonly<Record<string, unknown>>;
  }[];
}

/** Digits that fit beside others; --json has all. */
const DIGITS = 10;

export function statisticsTable(name: string, { results, groups }: StatisticsAnswer): string {
  const ops = Object.keys(groups ? (groups[0]?.results ?? {}) : results);
  if (groups) {
    const rows = groups.map(({ key, count, results: of }) => [
      plain(key),
      plain(count),
      ...ops.map(op => shown(of[op])),
    ]);
    return table(['KEY', 'COUNT', ...ops.map(op => op.toUpperCase())], rows);
  }
  const lists = Object.values(results);
  const [first] = lists;
  const isAlongAxis =
    process.stdout.isTTY &&
    !('quantile' in results) &&
    lists.every(isFlat) &&
    lists.every(list => list.length === (first as []).length);
  if (!isAlongAxis)
    return table(
      ['', name],
      Object.entries(results).map(([op, value]) => [op, shown(value)]),
    );
  const columns = [(first as unknown[]).map((_, i) => String(i)), ...lists.map(list => list.map(shown))];
  const rows = columns[0]!.map((_, i) => columns.map(column => column[i]));
  return table(['', ...ops.map(op => op.toUpperCase())], rows);
}

function isFlat(value: unknown): value is unknown[] {
  return Array.isArray(value) && !value.some(item => typeof item === 'object');
}

/** Rounded for people. */
function shown(value: unknown): string {
  return plain(process.stdout.isTTY ? rounded(value) : value);
}

function rounded(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(rounded);
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(DIGITS)) : value;
}
