/** Answers of the worked example, ours and other engines': lines of groups, and whether they are the same. */
import fs from 'node:fs';

export interface Line {
  readonly index: number;
  readonly error?: unknown;
  readonly groups?: readonly Group[];
}

export interface Group {
  readonly key: number | readonly number[];
  readonly count: number;
  readonly results: Readonly<Record<string, number | readonly number[]>>;
}

/** Interpolated and averaged values may differ in their last bits; keys, counts, medians and extremes may not. */
const TOLERANCE: Readonly<Record<string, number>> = { quantile: 1e-9, mean: 1e-9, std: 1e-9 };

export function readLines(file: string): Line[] {
  return fs
    .readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Line);
}

/** The first difference, in words; lines that are errors are not compared. */
export function differenceOf(lines: readonly Line[], others: readonly Line[]): string | undefined {
  for (const { index, groups = [] } of others.filter(({ error }) => error === undefined)) {
    const mine = lines.find(line => line.index === index)?.groups ?? [];
    if (mine.length !== groups.length) return `query ${index}: ${mine.length} groups, not ${groups.length}`;
    for (const [i, group] of groups.entries()) {
      const differing = differingMember(mine[i]!, group);
      if (differing !== undefined) return `query ${index}, group ${String(group.key)}: another ${differing}`;
    }
  }
  return undefined;
}

function differingMember(a: Group, b: Group): string | undefined {
  if (String(a.key) !== String(b.key)) return 'key';
  if (a.count !== b.count) return 'count';
  return Object.keys(b.results).find(name => !agree(a.results[name]!, b.results[name]!, TOLERANCE[name] ?? 0));
}

function agree(a: number | readonly number[], b: number | readonly number[], tolerance: number): boolean {
  const [left, right] = [[a].flat(), [b].flat()];
  return (
    left.length === right.length &&
    left.every((each, i) => Math.abs(each - right[i]!) <= tolerance * (1 + Math.abs(each)))
  );
}
