/** What is measured, as one table. Ratios are ours/theirs in speed: above 1 we are faster. */
import { ROW_BYTES } from './data.js';

export type ServerName = 'bare' | 'nginx' | 'starlette';

export interface Ask {
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Requests per second under load. */
export interface HttpCase {
  readonly name: string;
  readonly title: string;
  readonly connections: number;
  readonly ours: Ask;
  readonly contender: ServerName;
  readonly theirs: Ask;
  readonly aim: number;
}

const DATASET = '/v1/datasets/big';

export const CASES: readonly HttpCase[] = [
  {
    name: 'row',
    title: 'row, 4 kB raw, 16 connections',
    connections: 16,
    ours: { path: `${DATASET}/rows/1000?format=raw` },
    contender: 'bare',
    theirs: { path: '/row' },
    aim: 0.8,
  },
  contiguous('1mb', '250 rows, 1 MB raw, 4 connections', 4, 250),
  contiguous('64mb', '16,000 rows, 64 MB raw, 2 connections', 2, 16_000),
  block('block', 'block 100×50, 20 kB raw, 16 connections', 16, 'raw', [100, 200, 50, 100], 1.5),
  block('block-json', 'block 100×50 as JSON, 16 connections', 16, 'json', [100, 200, 50, 100], 0.5),
  block('column', 'one column, 1 MB raw, 2 connections', 2, 'raw', [0, 250_000, 3, 4], 1),
];

/** Rows from the 1,000th on, against the same bytes of the file. */
function contiguous(name: string, title: string, connections: number, rows: number): HttpCase {
  const first = 1000;
  return {
    name,
    title,
    connections,
    ours: { path: `${DATASET}/rows?start=${first}&stop=${first + rows}&format=raw` },
    contender: 'nginx',
    theirs: {
      path: '/big.f32',
      headers: { range: `bytes=${first * ROW_BYTES}-${(first + rows) * ROW_BYTES - 1}` },
    },
    aim: 0.9,
  };
}

function block(
  name: string,
  title: string,
  connections: number,
  format: 'raw' | 'json',
  [r0, r1, c0, c1]: readonly [number, number, number, number],
  aim: number,
): HttpCase {
  const rows = r1 - r0 === 250_000 ? ':' : `${r0}:${r1}`;
  return {
    name,
    title,
    connections,
    ours: { path: `${DATASET}/data?slice=${rows},${c1 - c0 === 1 ? c0 : `${c0}:${c1}`}&format=${format}` },
    contender: 'starlette',
    theirs: { path: `/block?r0=${r0}&r1=${r1}&c0=${c0}&c1=${c1}&format=${format}` },
    aim,
  };
}
