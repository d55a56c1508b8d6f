/** What is written: blocks of 4 kB, the rows of one array. Each writer has rows of its own and goes round them. */
export const BLOCK_BYTES = 4096;
export const COLUMNS = BLOCK_BYTES / 4;
const ROWS_PER_WRITER = 16;
export const WRITERS_MAX = 64;
export const ROWS = WRITERS_MAX * ROWS_PER_WRITER;

export function* rowsOf(writer: number): Generator<number> {
  for (let turn = 0; ; turn++) yield writer * ROWS_PER_WRITER + (turn % ROWS_PER_WRITER);
}
