/** Which rows a query uses, as plain data: what the door makes, and what threads evaluate. */
import { isText, isTime, type DType, type NumberDType, type TextDType, type TimeDType } from '../dtype/index.js';
import { nativeTypeOf, type NativeType } from '../kernels/native-types.js';
import type { ValueType } from '../kernels/sort-keys.js';
import type { View } from '../layout/view.js';
import type { SealedTexts } from './texts.js';
import type { SealedSet } from './value-set.js';

/** A dataset as filters and keys see it: `dtype` and `view` are of the array that is asked about. */
export interface RowSource {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly view: View;
  /** A field of the dataset's structures, or a column that has a name. @throws unknown_field, with the known ones */
  readonly part?: (name: string) => { readonly dtype: DType; readonly view: View };
}

/** What rows are told apart by. */
export type RowDType = NumberDType | TimeDType | TextDType;

/**
 * One value per row: that of row r stands at `offset + r * stride` bytes of the file of a source. Kernels compare numbers:
 * a date is its count, and a text its place among the texts that the query compares it with.
 */
export interface RowColumn {
  /** Position in the list of the query's sources; 0 is the dataset itself. */
  readonly source: number;
  readonly dtype: RowDType;
  readonly offset: number;
  readonly stride: number;
  /** Of a column of texts, as soon as they are known. */
  readonly texts?: SealedTexts;
}

/** What the values of a column are where they are compared. */
export function valueTypeOf({ dtype }: Pick<RowColumn, 'dtype'>): ValueType {
  if (isText(dtype)) return 'u32';
  return isTime(dtype) ? 'time' : nativeTypeOf(dtype);
}

/** What they are in the kernels' memory. */
export function columnTypeOf(column: Pick<RowColumn, 'dtype'>): NativeType {
  const type = valueTypeOf(column);
  return type === 'time' ? 'i64' : type;
}

export type Filter =
  | { readonly kind: 'constant'; readonly keeps: boolean }
  | { readonly kind: 'test'; readonly column: RowColumn; readonly set: SealedSet }
  /** The column's value is one of those of a join, which have to be found first. */
  | { readonly kind: 'join'; readonly column: RowColumn; readonly join: number }
  | { readonly kind: 'and' | 'or'; readonly of: readonly Filter[] }
  | { readonly kind: 'not'; readonly of: Filter };

/** Rows of a dataset: those that the filter keeps. As a join it stands for the values of a column of them. */
export interface RowFilter {
  /** The values of a join. */
  readonly codes: RowColumn | undefined;
  /** Length of the dataset's axis 0. */
  readonly total: number;
  readonly filter: Filter;
  /** What has to be read first, in the order in which `join` nodes number it. */
  readonly joins: readonly RowFilter[];
}

export const KEEPS_ALL: Filter = { kind: 'constant', keeps: true };

/** Both filters. */
export function both(a: Filter, b: Filter): Filter {
  return combined('and', [a, b]);
}

/** Constants decide at once, or not at all. */
export function combined(kind: 'and' | 'or', parts: readonly Filter[]): Filter {
  const decisive = kind === 'or';
  if (parts.some(part => part.kind === 'constant' && part.keeps === decisive)) {
    return { kind: 'constant', keeps: decisive };
  }
  const of = parts.filter(part => part.kind !== 'constant');
  if (of.length === 0) return { kind: 'constant', keeps: !decisive };
  return of.length === 1 ? of[0]! : { kind, of };
}

/** The columns that a filter reads. */
export function columnsOf(filter: Filter): RowColumn[] {
  switch (filter.kind) {
    case 'constant':
      return [];
    case 'test':
    case 'join':
      return [filter.column];
    case 'not':
      return columnsOf(filter.of);
    case 'and':
    case 'or':
      return filter.of.flatMap(columnsOf);
  }
}
