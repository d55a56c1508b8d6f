/**
 * Formats that are encoded from elements in C order, a stretch at a time, by any thread: what it takes to make such an
 * encoder is plain data.
 */
import { parseDType } from '../dtype/index.js';
import { arrowEncoder } from './arrow.js';
import { csvEncoder } from './csv.js';
import type { Encoder, EncodingOptions, EncodingTable } from './encoder.js';
import { ndjsonEncoder } from './ndjson.js';
import { parquetEncoder } from './parquet.js';
import type { Table } from './tabular.js';

export const ENCODINGS = {
  csv: csvEncoder,
  ndjson: ndjsonEncoder,
  arrow: arrowEncoder,
  parquet: parquetEncoder,
} as const;
export type EncodingName = keyof typeof ENCODINGS;

/** What crosses to a worker. */
export interface EncodingSpec extends Omit<Table, 'dtype'>, EncodingOptions {
  readonly format: EncodingName;
  /** A typestr. */
  readonly dtype: string;
}

export function encoderFrom({ format, dtype, ...table }: EncodingSpec): Encoder {
  return ENCODINGS[format]({ ...table, dtype: parseDType(dtype) });
}

export function specOf(format: EncodingName, { dtype, schema: _schema, ...table }: EncodingTable): EncodingSpec {
  return { format, ...table, dtype: dtype.typestr };
}

/** A stretch of elements for a worker, in shared memory. */
export interface EncodeTask {
  readonly spec: EncodingSpec;
  readonly source: Uint8Array;
  readonly first: number;
  readonly target: Uint8Array;
}
