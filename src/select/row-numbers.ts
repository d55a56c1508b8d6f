/** Numbers of rows as an array of int64. */
import type { Block } from '../block.js';
import { numberDType } from '../dtype/index.js';
import { isTurnOver, nextTurn } from '../turns.js';

export const ROW_NUMBER = numberDType('<i8');

/** In shared memory. */
export async function blockOfRows(rows: Float64Array): Promise<Block> {
  const numbers = new BigInt64Array(new SharedArrayBuffer(8 * rows.length));
  for (const [i, row] of rows.entries()) {
    numbers[i] = BigInt(row);
    if (isTurnOver(i)) await nextTurn(); // oxlint-disable-line no-await-in-loop
  }
  return { dtype: ROW_NUMBER, shape: [rows.length], bytes: Buffer.from(numbers.buffer) };
}
