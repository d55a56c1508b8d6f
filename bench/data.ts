/** The numbers that everybody serves: uniform in [0, 1), from a seed, the same in every run. */
import fs from 'node:fs';

/** float32 (250000, 1000), 1 GB. */
export const ROWS = 250_000;
export const COLUMNS = 1000;
export const ROW_BYTES = COLUMNS * 4;

const CHUNK_ROWS = 2500;

export interface Filling {
  /** A multiple of 2,500. */
  readonly rows?: number;
  readonly seed?: number;
  /** May change a chunk of rows before it is written. */
  readonly change?: (chunk: Float32Array, firstRow: number) => void;
}

/** Writes a float32 array of `rows` by 1,000. */
export function makeData(file: string, { rows = ROWS, seed = 0x9e3779b9, change }: Filling = {}): void {
  const chunk = new Float32Array(CHUNK_ROWS * COLUMNS);
  const bits = randomBits(seed);
  const fd = fs.openSync(file, 'wx');
  try {
    for (let row = 0; row < rows; row += CHUNK_ROWS) {
      // The upper 24 bits are what a float32 holds.
      for (let i = 0; i < chunk.length; i++) chunk[i] = (bits() >>> 8) / 2 ** 24;
      change?.(chunk, row);
      fs.writeSync(fd, chunk);
    }
  } finally {
    fs.closeSync(fd);
  }
}

/** xorshift32 (Marsaglia, 2003): 32 bits at a call. */
export function randomBits(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state;
  };
}

/** Brings the file into the page cache. */
export function warm(file: string): void {
  const buffer = Buffer.allocUnsafe(8 * 1024 * 1024);
  const fd = fs.openSync(file, 'r');
  try {
    while (fs.readSync(fd, buffer) > 0);
  } finally {
    fs.closeSync(fd);
  }
}
