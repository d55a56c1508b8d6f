/** What a table of Arrow becomes: its rows as items of one dtype, which are converted to what is asked for. */
import { conversionOf, incomingConversion, type Conversion } from '../../convert/index.js';
import { isStructure, parseDType, type DType } from '../../dtype/index.js';
import { fail } from '../../errors.js';
import { LIMITS } from '../../limits.js';
import { sizeOf } from '../../layout/view.js';
import { parsed, type ArrowIn, type ArrowInSchema } from './arrow-schema.js';
import { failArrow } from './arrow-messages.js';
import { rowField, rowStructure, rowStructureOf, textsAs, type RowField } from './arrow-rows.js';
import { checkColumnNames, distinctNames, keptNames } from './column-names.js';
import type { DecodingAsked, FoundLayout } from './decoder.js';

export interface ArrowTable {
  readonly columns: readonly RowField[];
  /** Of a row as it comes → as it is written. */
  readonly conversion: Conversion;
  /** One for all columns, or a structure that they are the fields of. */
  readonly dtype: DType;
  readonly rowBytes: number;
}

/** @param lengthOf characters of the longest text of a field */
export function arrowTable(
  { fields, metadata }: ArrowInSchema,
  { dtype: typestr }: Pick<DecodingAsked, 'dtype'>,
  lengthOf: (field: ArrowIn) => number,
): ArrowTable {
  if (fields.length === 0) failArrow('it has no columns');
  const asked = typestr === undefined ? undefined : parseDType(typestr);
  const columns = columnsAs(fields, asked, lengthOf);
  distinctNames(
    fields.map(({ name }) => name),
    fields.length,
  );
  const row = rowStructure(fields, columns);
  const [first] = columns;
  const isEven = columns.every(({ dtype, shape }) => dtype.typestr === first!.dtype.typestr && shape.length === 0);
  // Several columns of what had one axis were the fields of a structure.
  const said = parsed(metadata.get('shape'));
  const isTable = fields.length > 1 && (!isEven || (Array.isArray(said) && said.length === 1));
  const dtype = asked ?? (isTable || (fields.length === 1 && isStructure(first!.dtype)) ? row : first!.dtype);
  if (asked && !isStructure(asked) && isTable && columns.some(({ shape }) => shape.length > 0)) {
    fail('shape_mismatch', 'Lists beside other columns are fields of a structure. Send them alone, or as such.');
  }
  const wanted = isStructure(dtype) ? dtype : rowStructureOf(fields, columns, dtype);
  const conversion = asked ? incomingConversion(row, wanted) : conversionOf(row, wanted, 'refuse');
  if (Math.max(row.itemsize, wanted.itemsize) > LIMITS.itemsizeMax) failRow(Math.max(row.itemsize, wanted.itemsize));
  return { columns, conversion, dtype, rowBytes: wanted.itemsize };
}

/** Texts of a table that has nothing else are all as long as the longest of them. */
function columnsAs(
  fields: readonly ArrowIn[],
  asked: DType | undefined,
  lengthOf: (field: ArrowIn) => number,
): readonly RowField[] {
  const isText = fields.every(({ type }) => type.kind === 'text');
  const longest = isText ? fields.reduce((most, field) => Math.max(most, lengthOf(field)), 1) : undefined;
  const textOf = textsAs(asked, field => longest ?? lengthOf(field));
  return fields.map(field => rowField(field, textOf));
}

function failRow(bytes: number): never {
  return fail(
    'too_large',
    `A row takes ${bytes} bytes; at most ${LIMITS.itemsizeMax} are written together. Send raw or npy.`,
    {
      limit: LIMITS.itemsizeMax,
      asked: bytes,
    },
  );
}

/** The layout of so many rows. @throws unknown_field, shape_mismatch, too_large */
export function arrowLayout(
  { fields, metadata }: ArrowInSchema,
  { columns, dtype, rowBytes }: ArrowTable,
  asked: DecodingAsked,
  rows: number,
): FoundLayout {
  const names = fields.map(({ name }) => name);
  const shape = shapeOf({ fields, metadata }, columns, dtype, asked, rows);
  const isNamed = !isStructure(dtype) && shape.length === 2 && columns[0]!.shape.length === 0;
  if (isNamed && asked.names) checkColumnNames(asked.names, names);
  const layout = { dtype: dtype.typestr, shape, order: 'C', unitBytes: Math.max(1, rowBytes) } as const;
  if (!asked.isNew) return { layout };
  const isPlain = names.every((name, i) => name === `c${i}`);
  return {
    layout,
    columns: isNamed && !(isPlain && metadata.has('attrs')) ? keptNames(names) : undefined,
    attrs: metadata.get('attrs'),
    dims: metadata.get('dims'),
  };
}

function shapeOf(
  { fields, metadata }: ArrowInSchema,
  columns: readonly RowField[],
  dtype: DType,
  { columnRank }: DecodingAsked,
  rows: number,
): readonly number[] {
  if (isStructure(dtype)) return [rows];
  if (columns.length > 1) return [rows, columns.length];
  const { shape: list } = columns[0]!;
  const { tensor = [] } = fields[0]!;
  if (list.length > 0)
    return [rows, ...(sizeOf(tensor) === list[0] && tensor.length > 0 ? tensor : [list[0]!]), ...list.slice(1)];
  // The same numbers may be a table of one column, a list, or an array without axes: what was sent says which.
  const said = parsed(metadata.get('shape'));
  if (Array.isArray(said)) {
    if (said.length === 0 && rows === 1) return [];
    if (said.length === 2 && said[1] === 1) return [rows, 1];
    if (said.length === 1) return [rows];
  }
  return columnRank === 2 ? [rows, 1] : [rows];
}
