/**
 * The files of the statistics bench, made once and kept for the next run, 1.2 GB in all: in HYPERSLAB_BENCH_DIR, or
 * else in the temporary folder. Remove the folder to have them made again.
 */
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { say } from '../frame.js';
import { COLUMNS, makeData, randomBits, warm } from '../data.js';

/** float32 (250000, 1000), uniform; column 0 holds the keys of ten groups, 0 to 9, as float32. */
const BIG = 'big.f32';
/** float32 (25000000,), uniform. */
const PART = 'part.f32';
/** int32 (25000000,), a thousand different ones: the groups of the one above. */
const KEYS = 'keys.i32';

export const PART_SIZE = 25_000_000;
const GROUPS = { big: 10, part: 1000 };

/** Raised when the files change their contents. */
const VERSION = 1;

export interface Data {
  readonly folder: string;
  readonly big: string;
  readonly part: string;
  readonly keys: string;
  /** Says that the files are whole; gone while one is being changed. */
  readonly stamp: string;
}

export function benchFolder(): string {
  const folder = process.env['HYPERSLAB_BENCH_DIR'] || path.join(tmpdir(), 'hyperslab-bench');
  fs.mkdirSync(folder, { recursive: true });
  return fs.realpathSync(folder);
}

/** The files, made where they are not there yet, and in the page cache. */
export function prepareData(): Data {
  const folder = benchFolder();
  const at = (name: string): string => path.join(folder, name);
  const data: Data = { folder, big: at(BIG), part: at(PART), keys: at(KEYS), stamp: at(`made-${VERSION}`) };
  if (!fs.existsSync(data.stamp)) {
    say(`making 1.2 GB of data in ${folder}`);
    for (const file of [data.big, data.part, data.keys]) fs.rmSync(file, { force: true });
    makeFiles(data);
    fs.writeFileSync(data.stamp, '');
  }
  for (const file of [data.big, data.part, data.keys]) warm(file);
  return data;
}

function makeFiles({ big, part, keys }: Data): void {
  const bits = randomBits(0x2545f491);
  makeData(big, {
    change(chunk) {
      for (let i = 0; i < chunk.length; i += COLUMNS) chunk[i] = (bits() >>> 1) % GROUPS.big;
    },
  });
  makeData(part, { rows: PART_SIZE / COLUMNS, seed: 0x1234567 });
  const values = Int32Array.from({ length: PART_SIZE }, () => (bits() >>> 1) % GROUPS.part);
  fs.writeFileSync(keys, values);
}
