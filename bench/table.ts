/** Results as a markdown table, and the place in bench/README.md where it goes. */
import fs from 'node:fs';

export interface Result {
  readonly title: string;
  readonly contender: string;
  /** What is counted per second grows with speed, `ms` falls. */
  readonly unit: 'requests/s' | 'acks/s' | 'ms';
  /** One per round. */
  readonly ours: readonly number[];
  readonly theirs: readonly number[];
  readonly aim?: number;
}

/** What could not be compared, and why. */
export interface Missing {
  readonly title: string;
  readonly reason: string;
}

export function markdown(results: readonly (Result | Missing)[], facts: readonly string[]): string {
  const rows = results.map(result => ('reason' in result ? missingRow(result) : resultRow(result)));
  return [
    '| case | against | ours (median) | theirs (median) | ratio | spread | aim |',
    '|---|---|---|---|---|---|---|',
    ...rows,
    '',
    ...facts.map(fact => `- ${fact}`),
  ].join('\n');
}

/** Puts a table between its marks, `<!-- name -->` and `<!-- end of name -->`. */
export function writeInto(file: string, table: string, name: string): void {
  const text = fs.readFileSync(file, 'utf8');
  const start = `<!-- ${name} -->`;
  const [before, after] = [text.indexOf(start), text.indexOf(`<!-- end of ${name} -->`)];
  if (before < 0 || after < before) throw new Error(`${file} has no place for the table ${name}`);
  fs.writeFileSync(file, `${text.slice(0, before + start.length)}\n\n${table}\n\n${text.slice(after)}`);
}

function resultRow({ title, contender, unit, ours, theirs, aim }: Result): string {
  const ratios = ours.map((value, round) => (unit === 'ms' ? theirs[round]! / value : value / theirs[round]!));
  const spread = `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`;
  const [mine, other] = [ours, theirs].map(values => `${rounded(median(values))} ${unit}`);
  return `| ${title} | ${contender} | ${mine} | ${other} | **${median(ratios).toFixed(2)}** | ${spread} | ${aim === undefined ? '–' : `≥ ${aim}`} |`;
}

function missingRow({ title, reason }: Missing): string {
  return `| ${title} | ${reason} | – | – | – | – | – |`;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function rounded(value: number): string {
  return value >= 1000 ? Math.round(value).toLocaleString('en-US') : value.toPrecision(3);
}
