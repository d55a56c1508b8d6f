/** What a text has in place of values that are no numbers: each format has words of its own. */

export interface Words {
  readonly nan: string;
  readonly infinity: string;
  readonly minusInfinity: string;
  /** No date, and no duration. */
  readonly nat: string;
}

export const JSON_WORDS: Words = { nan: '"NaN"', infinity: '"Infinity"', minusInfinity: '"-Infinity"', nat: '"NaT"' };

/** Where a reader knows numbers alone, and what is missing. */
export const NULL_WORDS: Words = { nan: 'null', infinity: 'null', minusInfinity: 'null', nat: 'null' };

/** As pandas, R, polars and DuckDB read them; what is no date is an empty cell. */
export const CSV_WORDS: Words = { nan: 'NaN', infinity: 'inf', minusInfinity: '-inf', nat: '' };

/** The word for a float that is not finite. */
export function wordOf(value: number, words: Words): string {
  return Number.isNaN(value) ? words.nan : value > 0 ? words.infinity : words.minusInfinity;
}
