/** What a format that is encoded from elements is, for whoever encodes it. */
import type { Table } from './tabular.js';

export interface EncodingOptions {
  /** Whether columns are named. */
  readonly header: boolean;
  /** `string` puts 64-bit integers of JSON in quotes. */
  readonly int64: 'number' | 'string';
}

/** What an encoder is made of. */
export interface EncodingTable extends Table, EncodingOptions {
  /** What the schema of the whole says beside its columns. Those who encode parts do not need it. */
  readonly schema?: Readonly<Record<string, string>>;
}

export interface Encoder {
  /** Elements that only come together: 1, or those of a row. */
  readonly unit: number;
  /** Elements that are written together where there are as many, in whole units. */
  readonly group?: number;
  /** The most bytes that so many elements become. */
  bytesMax(elements: number): number;
  /** And the least. */
  readonly bytesMin: number;
  /** What stands before all elements, in pieces of some kilobytes. */
  head(): Iterable<Uint8Array>;
  /**
   * Writes packed elements.
   * @param first elements before these in the whole
   * @param target of bytesMax at least
   * @returns bytes written
   */
  encode(source: Uint8Array, first: number, target: Uint8Array): number;
  /**
   * Takes note, for the tail, of what `encode` left behind the bytes that it wrote: after each, in order. Only the encoder
   * that has the tail needs it.
   */
  note?(target: Uint8Array, written: number): void;
  /** What stands behind all elements, in pieces of some kilobytes. */
  tail(): Iterable<Uint8Array>;
}
