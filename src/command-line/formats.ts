/** Formats of files by their suffixes, and what is said of names. */
import path from 'node:path';
import { FORMATS, type FormatRow } from '../formats/index.js';
import { didYouMean } from '../near.js';
import { listed } from '../shown.js';
import { ToldError } from './told.js';

const ROWS: readonly FormatRow[] = FORMATS;
const NAMES = ROWS.map(row => row.name);
/** What others call them. */
const SUFFIXES: Readonly<Record<string, string>> = {
  bin: 'raw',
  dat: 'raw',
  jsonl: 'ndjson',
  feather: 'arrow',
  arrows: 'arrow',
};

export function formatRow(name: string): FormatRow {
  const row = ROWS.find(each => each.name === name);
  if (!row)
    throw new ToldError(`There is no format ${name}.${didYouMean(name, NAMES)} There are ${listed(NAMES, 'and')}.`);
  return row;
}

/** The format that a file name says, if it says one. */
export function formatOfFile(file: string): string | undefined {
  const suffix = path.extname(file).slice(1).toLowerCase();
  const name = SUFFIXES[suffix] ?? suffix;
  return NAMES.includes(name) ? name : undefined;
}

/** The same where the name has to say it. @throws ToldError */
export function formatOfName(file: string): string {
  const format = formatOfFile(file);
  if (format === undefined) throw new ToldError(`${file} does not say what format it is in. Say it with --format.`);
  return format;
}

/** The name that a file gives to its dataset. @throws ToldError */
export function nameOfFile(file: string): string {
  const name = path.basename(file, path.extname(file));
  if (!/^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/.test(name)) {
    throw new ToldError(
      `${file} gives no name that a dataset may have: letters, digits, dots, hyphens, underscores. Say --name.`,
    );
  }
  return name;
}
