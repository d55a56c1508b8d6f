/** Formats of files by their suffixes, and what is said of names. */
import path from 'node:path';
import { FORMATS, type FormatRow } from '../formats/index.js';
import { listed } from '../shown.js';
import { ToldError } from './told.js';

const ROWS: readonly FormatRow[] = FORMATS;
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
    throw new ToldError(
      `There is no format ${name}; there are ${listed(
        ROWS.map(each => each.name),
        'and',
      )}.`,
    );
  return row;
}

/** The format that a file name says, if it says one. */
export function formatOfFile(file: string): string | undefined {
  const suffix = path.extname(file).slice(1).toLowerCase();
  const name = SUFFIXES[suffix] ?? suffix;
  return ROWS.some(each => each.name === name) ? name : undefined;
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
