/** A file larger than the memory that may be used, and what its statistics must be: counted while it is written. */
import fs from 'node:fs';
import { COLUMNS, makeData } from '../data.js';

export interface ColdFile {
  readonly file: string;
  readonly rows: number;
  readonly bytes: number;
  readonly wanted: Readonly<Record<'mean' | 'std' | 'median', number>>;
}

/** Values are multiples of 2 ** -24, so that counting them sorts them. */
const LEVELS = 2 ** 24;
const ROWS_PER_GB = 250_000;

export function makeColdFile(file: string, gigabytes: number): ColdFile {
  const rows = gigabytes * ROWS_PER_GB;
  const counts = new Uint32Array(LEVELS);
  makeData(file, {
    rows,
    change(chunk) {
      for (const value of chunk) counts[value * LEVELS]!++;
    },
  });
  // Pages that are not on the disk yet cannot be dropped.
  const fd = fs.openSync(file, 'r+');
  fs.fsyncSync(fd);
  fs.closeSync(fd);
  return { file, rows, bytes: rows * COLUMNS * 4, wanted: statisticsOf(counts, rows * COLUMNS) };
}

function statisticsOf(counts: Uint32Array, size: number): ColdFile['wanted'] {
  const mean = sumOf(counts, value => value) / size;
  const std = Math.sqrt(sumOf(counts, value => (value - mean) ** 2) / size);
  return { mean, std, median: (atRank(counts, size / 2 - 1) + atRank(counts, size / 2)) / 2 };
}

function sumOf(counts: Uint32Array, term: (value: number) => number): number {
  let sum = 0;
  for (let level = 0; level < LEVELS; level++) sum += counts[level]! * term(level / LEVELS);
  return sum;
}

function atRank(counts: Uint32Array, rank: number): number {
  let level = 0;
  for (let before = counts[0]!; before <= rank; before += counts[level]!) level++;
  return level / LEVELS;
}
