/** Whose values a subject means: names of datasets, fields and columns → one value per row, somewhere in a file. */
import { failUnknown, isNumber, isStructure, isText, isTime, type DType } from '../dtype/index.js';
import { fail, HyperslabError } from '../errors.js';
import type { View } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import { shown } from '../shown.js';
import type { RowColumn, RowSource } from './filter.js';
import type { Subject } from './parse.js';

/** Finds a dataset by name for whoever asks. @throws unknown_dataset */
export type FindSource = (name: string) => RowSource;

/** The datasets that a query reads, by number; the first is the one that is asked about. */
export class SourceList {
  readonly list: RowSource[];
  readonly #find: FindSource;

  constructor(self: RowSource, find: FindSource) {
    this.list = [self];
    this.#find = find;
  }

  /** The number of a dataset, which is added where it is new. @throws unknown_dataset, too_large */
  numberOf(name: string): number {
    const known = this.list.findIndex(source => source.name === name);
    if (known >= 0) return known;
    const source = this.#find(name);
    if (this.list.length > LIMITS.alignedDatasetsMax) {
      fail(
        'too_large',
        `The query reads ${this.list.length} other datasets; at most ${LIMITS.alignedDatasetsMax} are possible. Split the query.`,
        {
          limit: LIMITS.alignedDatasetsMax,
        },
      );
    }
    return this.list.push(source) - 1;
  }
}

/** Elements of a dataset: all of them, a field of each, a named column. */
export interface Elements {
  readonly dtype: DType;
  readonly view: View;
}

/** The rows that a filter or a key looks at. */
export interface Rows {
  /** Of the dataset of this number. */
  readonly number: number;
  /** What `self` means; absent: the dataset. */
  readonly own?: Elements | undefined;
}

/** One value per row, of any dtype. */
export interface AnyColumn {
  readonly source: number;
  readonly dtype: DType;
  readonly offset: number;
  readonly stride: number;
}

/**
 * One value per row of a dataset, as a subject names it.
 * @throws bad_operation, index_out_of_bounds, not_aligned, unknown_dataset, unknown_field, too_large
 */
export function locate(subject: Subject, sources: SourceList, { number, own }: Rows, at: string): AnyColumn {
  const self = sources.list[number]!;
  switch (subject.kind) {
    case 'self':
      return ownColumn(self, own, number, at);
    case 'column':
      if (self.shape.length !== 2) refuseRank(at, 'column', 2, self);
      return columnOf(self, number, columnIn(subject.column, self.shape[1]!, at));
    case 'field':
      return fieldColumn(subject.field, self, number, at);
    case 'dataset':
      return alignedColumn(subject, sources, self, at);
  }
}

/**
 * The same, where it is a number, a date, a duration or a text, which rows are told apart by.
 * @throws as locate, unsupported_dtype
 */
export function resolveColumn(subject: Subject, sources: SourceList, rows: Rows, at: string): RowColumn {
  return comparable(locate(subject, sources, rows, at), at);
}

/** What is asked about, of which there has to be one value per row. */
function ownColumn(self: RowSource, own: Elements | undefined, number: number, at: string): AnyColumn {
  const { dtype, view } = own ?? self;
  const { shape } = view;
  if (shape.length === 1 && !view.lists) return columnOf({ dtype, view }, number);
  const asked = own && own.view !== self.view ? `what field= takes of ${self.name}` : self.name;
  return fail(
    'bad_operation',
    `${at}: self takes an array of one axis; ${asked} has the shape [${shape.join(', ')}]. Of two axes, name a column: {"column": 0}.`,
    { at, dataset: self.name, shape },
  );
}

/** @throws unsupported_dtype, too_large */
export function comparable({ dtype, ...place }: AnyColumn, at: string): RowColumn {
  if (!isNumber(dtype) && !isTime(dtype) && !isText(dtype)) return refuseDType(dtype, at);
  if (isText(dtype) && dtype.itemsize > LIMITS.textItemBytesMax) {
    fail(
      'too_large',
      `${at} reads texts of ${dtype.itemsize} bytes; rows are told apart by texts of at most ${LIMITS.textItemBytesMax} bytes.`,
      { at, limit: LIMITS.textItemBytesMax, asked: dtype.itemsize },
    );
  }
  return { ...place, dtype };
}

const COMPARED = 'numbers, bool, dates, durations and texts';

function refuseDType(dtype: DType, at: string): never {
  const remedies: Partial<Record<DType['kind'], string>> = {
    c: ' In where, complex numbers take eq, ne, in and is_nan.',
    V: isStructure(dtype) ? ` Name one of its fields: {"field": ${shown(dtype.fields[0]!.name)}}.` : '',
  };
  const fields = isStructure(dtype) && { fields: dtype.fields.slice(0, FIELDS_MAX).map(({ name }) => name) };
  return fail(
    'unsupported_dtype',
    `${at} reads elements of ${dtype.name}; rows are told apart by ${COMPARED}.${remedies[dtype.kind] ?? ''}`,
    { at, dtype: dtype.typestr.slice(0, 80), ...fields },
  );
}

/** As many names as a message repeats. */
const FIELDS_MAX = 50;

function fieldColumn(field: string, self: RowSource, number: number, at: string): AnyColumn {
  const part = partAt(self, field, at);
  if (part.view.shape.length !== 1) {
    fail(
      'bad_operation',
      `${at}: ${shown(field)} of ${self.name} has the shape [${part.view.shape.join(', ')}], and one value per row is wanted.`,
      { at, dataset: self.name, field: field.slice(0, 60), shape: part.view.shape },
    );
  }
  return columnOf(part, number);
}

/** @throws unknown_field, with the place */
function partAt(source: RowSource, field: string, at: string): { readonly dtype: DType; readonly view: View } {
  try {
    return source.part ? source.part(field) : failUnknown(source.dtype, field);
  } catch (error) {
    if (!(error instanceof HyperslabError)) throw error;
    return fail(error.code, `${at} names a field of ${source.name}: ${error.message}`, { at, ...error.values });
  }
}

function alignedColumn(
  { name, field }: Extract<Subject, { kind: 'dataset' }>,
  sources: SourceList,
  self: RowSource,
  at: string,
): AnyColumn {
  const number = sources.numberOf(name);
  const source = sources.list[number]!;
  if (field === undefined && source.shape.length !== 1) refuseRank(at, 'dataset', 1, source);
  const rows = self.shape[0];
  if (source.shape[0] !== rows) {
    fail(
      'not_aligned',
      `${at} reads ${source.name}, which has ${source.shape[0] ?? 'no'} ${source.shape.length === 1 ? 'elements' : 'rows'}; ${self.name} has ${rows ?? 'no'} rows. Use a dataset with one element per row.`,
      { at, dataset: source.name, length: source.shape[0], rows },
    );
  }
  return field === undefined ? columnOf(source, number) : fieldColumn(field, source, number, at);
}

/** The values of a dataset of one axis, or of a field of it. @throws bad_operation, unknown_field */
export function codesOf(number: number, field: string | undefined, sources: SourceList, at: string): AnyColumn {
  const codes = sources.list[number]!;
  if (field !== undefined) return fieldColumn(field, codes, number, at);
  if (codes.shape.length !== 1) refuseRank(at, 'in', 1, codes);
  return columnOf(codes, number);
}

function columnOf({ dtype, view }: Pick<RowSource, 'dtype' | 'view'>, source: number, column = 0): AnyColumn {
  return {
    source,
    dtype,
    offset: view.offset + column * (view.strides[1] ?? 0),
    stride: view.strides[0]!,
  };
}

function columnIn(column: number, length: number, at: string): number {
  const resolved = column < 0 ? column + length : column;
  if (resolved < 0 || resolved >= length) {
    fail(
      'index_out_of_bounds',
      `${at}: column ${column} is out of bounds; there are ${length} columns.${length > 0 ? ` Use ${-length} to ${length - 1}.` : ''}`,
      {
        at,
        index: column,
        length,
      },
    );
  }
  return resolved;
}

const REMEDIES: Readonly<Record<string, string>> = {
  column: ' Of one axis, write {"self": true}.',
};

function refuseRank(at: string, member: string, rank: number, source: RowSource): never {
  const { shape } = source;
  return fail(
    'bad_operation',
    `${at}: ${member} takes a dataset of ${rank === 1 ? 'one axis' : 'two axes'}; ${source.name} has the shape [${shape.join(', ')}].${REMEDIES[member] ?? ''}`,
    { at, dataset: source.name, shape },
  );
}
