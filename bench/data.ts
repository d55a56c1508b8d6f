/** The file that everybody serves: float32 (250000, 1000), uniform in [0, 1), the same in every run; 1 GB. */
import fs from 'node:fs';

export const ROWS = 250_000;
export const COLUMNS = 1000;
export const ROW_BYTES = COLUMNS * 4;

const CHUNK_ROWS = 2500;

export function makeData(file: string): void {
  const chunk = new Float32Array(CHUNK_ROWS * COLUMNS);
  const fd = fs.openSync(file, 'wx');
  try {
    let state = 0x9e3779b9;
    for (let row = 0; row < ROWS; row += CHUNK_ROWS) {
      for (let i = 0; i < chunk.length; i++) {
        // xorshift32 (Marsaglia, 2003); its upper 24 bits are what a float32 holds.
        state ^= state << 13;
        state ^= state >>> 17;
        state ^= state << 5;
        chunk[i] = (state >>> 8) / 2 ** 24;
      }
      fs.writeSync(fd, chunk);
    }
  } finally {
    fs.closeSync(fd);
  }
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
