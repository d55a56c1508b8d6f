/**
 * Arrays as tables: which of them are one, and what their columns are called. A row is one item of a structure; one element
 * of rank 0 and 1; one index of axis 0 of rank 2, with a column for each of axis 1.
 */
import { descriptionOf, isStructure, leavesOf, type DType } from '../dtype/index.js';
import { fail } from '../errors.js';
import { sizeOf } from '../layout/view.js';
import { whyNotArrow } from './arrow-types.js';

/** Elements that can stand in rows and columns. */
export interface Table {
  readonly dtype: DType;
  readonly rows: number;
  /** Elements of a row. A structure is one, whatever columns its fields become. */
  readonly columns: number;
  /** One for each element of a row; undefined: c0, c1 and so on, or the fields of a structure. */
  readonly names: readonly string[] | undefined;
  /** The shape of a row, where it is an array of several axes and one element of a single column. */
  readonly tensor?: readonly number[] | undefined;
}

/** Why elements are no table; undefined where they are one. */
export function whyNotTabular(dtype: DType, shape: readonly number[]): string | undefined {
  if (leavesOf(dtype).some(({ dtype: { kind } }) => kind === 'g' || kind === 'G')) {
    return `${dtype.name} has long doubles, which have no text`;
  }
  const rankMax = isStructure(dtype) ? 1 : 2;
  if (shape.length <= rankMax) return undefined;
  const of = isStructure(dtype) ? 'items of a structure' : 'elements';
  return `The selection has rank ${shape.length}, and ${of} are a table up to rank ${rankMax}`;
}

/**
 * @param names of the columns of a row; passed over where they are not as many
 * @throws not_tabular
 */
export function tableOf(dtype: DType, shape: readonly number[], names: readonly string[] | undefined): Table {
  const why = whyNotTabular(dtype, shape);
  if (why !== undefined) failNotTabular(why, dtype, shape);
  const columns = shape[1] ?? 1;
  const isNamed = !isStructure(dtype) && names?.length === columns;
  return { dtype, rows: shape[0] ?? 1, columns, names: isNamed ? names : undefined };
}

/** Why elements are no columns of Arrow, which has tensors, too; undefined where they are. */
export function whyNotColumns(dtype: DType, shape: readonly number[]): string | undefined {
  const isTensor = shape.length > 2 && !isStructure(dtype);
  return whyNotTabular(dtype, isTensor ? shape.slice(0, 2) : shape) ?? whyNotArrow(dtype);
}

/** Why elements are no table of columns with types, as Parquet has them; undefined where they are one. */
export function whyNotTyped(dtype: DType, shape: readonly number[]): string | undefined {
  return whyNotTabular(dtype, shape) ?? whyNotArrow(dtype);
}

/** The same as columns of Parquet. @throws not_tabular */
export function typedTableOf(dtype: DType, shape: readonly number[], names: readonly string[] | undefined): Table {
  const why = whyNotTyped(dtype, shape);
  if (why !== undefined) failNotTabular(why, dtype, shape);
  return tableOf(dtype, shape, names);
}

/** The same as columns of Arrow. @throws not_tabular */
export function columnsTableOf(dtype: DType, shape: readonly number[], names: readonly string[] | undefined): Table {
  const why = whyNotColumns(dtype, shape);
  if (why !== undefined) failNotTabular(why, dtype, shape);
  const [rows = 1, ...tensor] = shape;
  if (tensor.length < 2 || isStructure(dtype)) return tableOf(dtype, shape, names);
  return { dtype, rows, columns: sizeOf(tensor), names: undefined, tensor };
}

export function failNotTabular(why: string, dtype: DType, shape: readonly number[]): never {
  return fail(
    'not_tabular',
    `${why}. Take an index or a field with slice= or field=, so that rows and columns are left, or ask for format=npy, raw or json.`,
    { dtype: descriptionOf(dtype), shape },
  );
}

/** The name of a column. */
export function columnName({ names }: Pick<Table, 'names'>, column: number): string {
  return names?.[column] ?? `c${column}`;
}
