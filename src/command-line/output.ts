/**
 * What commands write: tables for people, lines with tabs where another program reads, JSON where it is asked for.
 * Hazard: names and reasons come from elsewhere; nothing in them may be obeyed by a terminal.
 */
import { stringifyExactJson } from '../formats/index.js';
import { widthOf, wrapped } from './wrap.js';

/** Of each command that tells something. */
export interface OutputOptions {
  readonly json?: boolean;
}

export function print(text: string): void {
  process.stdout.write(text);
}

/** A value as one line of JSON, integers with all their digits. */
export function printJson(value: unknown): void {
  print(`${stringifyExactJson(value)}\n`);
}

/** For people, beside what the command is asked for. */
export function note(text: string): void {
  process.stderr.write(`${process.stderr.isTTY ? wrapped(text, widthOf(process.stderr)) : text}\n`);
}

/** A text without what a terminal would obey. */
export function plain(value: unknown): string {
  const text = typeof value === 'string' ? value : (stringifyExactJson(value) ?? '');
  return text.replaceAll(/[\p{Cc}\p{Cf}]/gu, '\u{fffd}');
}

/** Rows under their heads on a terminal; in a pipe rows alone, with tabs between. */
export function table(heads: readonly string[], rows: readonly (readonly unknown[])[]): string {
  const texts = rows.map(row => row.map(plain));
  if (texts.length === 0) return '';
  if (!process.stdout.isTTY) return texts.map(row => `${row.join('\t')}\n`).join('');
  const widths = heads.map((head, i) => texts.reduce((widest, row) => Math.max(widest, row[i]!.length), head.length));
  return [heads.map(plain), ...texts]
    .map(
      row =>
        `${row
          .map((text, i) => text.padEnd(widths[i]!))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

/** `name  value` lines: long values go on below themselves on a terminal; in a pipe a tab stands between. */
export function fields(entries: readonly (readonly [name: string, value: unknown])[]): string {
  if (!process.stdout.isTTY) return entries.map(([name, value]) => `${name}\t${plain(value)}\n`).join('');
  const left = Math.max(0, ...entries.map(([name]) => name.length)) + 2;
  return entries
    .map(([name, value]) => `${wrapped(`${name.padEnd(left)}${plain(value)}`, widthOf(process.stdout), left)}\n`)
    .join('');
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** Bytes as people read them: 1.2 GB. */
export function sizeText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}
