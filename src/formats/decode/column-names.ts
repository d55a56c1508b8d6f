/** The names of columns that a text brings: as fields of a structure, as attrs, or against those of a dataset. */
import { fail } from '../../errors.js';
import { LIMITS } from '../../limits.js';
import { shown } from '../../shown.js';

/** What a column without a name is called, as in what is sent. */
export function columnNamed(names: readonly string[] | undefined, column: number): string {
  return names?.[column] || `c${column}`;
}

/** A name for each column. @throws bad_table where two are the same */
export function distinctNames(names: readonly string[] | undefined, columns: number): readonly string[] {
  const all = Array.from({ length: columns }, (_, i) => columnNamed(names, i));
  const seen = new Set<string>();
  for (const name of all) {
    if (seen.has(name)) {
      fail('bad_table', `Two columns are named ${shown(name)}. Rename one of them, or leave the names out.`, {
        column: name,
      });
    }
    seen.add(name);
  }
  return all;
}

/**
 * Names that go with the array. Those that columns without names have anyway are left out where they would be too long.
 * @throws too_large
 */
export function keptNames(names: readonly string[]): readonly string[] | undefined {
  const limit = LIMITS.attrsBytesMax;
  const asked = Buffer.byteLength(JSON.stringify({ columns: names }));
  if (asked <= limit) return names;
  if (names.every((name, i) => name === columnNamed(undefined, i))) return undefined;
  return fail(
    'too_large',
    `The names of the columns take ${asked} bytes as attrs; at most ${limit} are kept. Shorten them, or leave them out.`,
    { limit, asked },
  );
}

/**
 * Columns go to those of the dataset by their place. A name that another column of the dataset has shows that they were
 * meant otherwise; names that it does not know say nothing.
 * @throws unknown_field
 */
export function checkColumnNames(known: readonly string[], sent: readonly string[] | undefined): void {
  sent?.forEach((name, i) => {
    if (name === known[i] || !known.includes(name)) return;
    fail(
      'unknown_field',
      `Column ${i + 1} is named ${shown(name)}, where the dataset has ${shown(known[i] ?? 'none')}: columns are written by their place. Put them into its order, ${shown(known)}; or leave the names out, with header=false.`,
      { column: i + 1, field: name, fields: known.slice(0, NAMES_MAX) },
    );
  });
}

const NAMES_MAX = 50;
