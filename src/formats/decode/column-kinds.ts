/** What the cells of columns are, all rows together, and which dtype that makes. */
import { parseDType, structureFrom, type DType } from '../../dtype/index.js';
import { BOOL, COMPLEX, FLOAT, INTEGER, LONG, MISSING, NEGATIVE, TEXT, UNSIGNED } from './number-cell.js';

/** One of each for every column, in shared memory. */
export interface ColumnKinds {
  /** Bits of the kinds that were met. */
  readonly kinds: Int32Array;
  /** Characters of the longest cell, whatever it is. */
  readonly lengths: Int32Array;
}

export function newColumnKinds(columns: number): ColumnKinds {
  const shared = (): Int32Array => new Int32Array(new SharedArrayBuffer(4 * columns));
  return { kinds: shared(), lengths: shared() };
}

/**
 * The dtype of a table: one for all of its columns where they have one, else a structure with a field for each, by name.
 * Texts are as long as the longest of a column, or of the table where all columns are text; integers that none of the
 * columns has below zero are all uint64 where one has to be.
 */
export function tableDType({ kinds, lengths }: ColumnKinds, nameOf: (column: number) => string): DType {
  const all = kinds.reduce((bits, each) => bits | each, 0);
  const isWhole = kinds.every(each => isInteger(each));
  if (kinds.length > 0 && isWhole && (all & UNSIGNED) !== 0 && (all & NEGATIVE) === 0) return parseDType('<u8');
  const spelled = Array.from(kinds, (each, i) => dtypeOfKinds(each, lengths[i]!));
  if (spelled.every(each => each.startsWith('<U'))) {
    return parseDType(`<U${lengths.reduce((most, length) => Math.max(most, length), 1)}`);
  }
  if (spelled.every(each => each === spelled[0])) return parseDType(spelled[0]!);
  let offset = 0;
  const fields = spelled.map((each, i) => {
    const dtype = parseDType(each);
    const field = { name: nameOf(i), dtype, shape: [], offset };
    offset += dtype.itemsize;
    return field;
  });
  return structureFrom(fields, offset);
}

function isInteger(kinds: number): boolean {
  return kinds !== 0 && (kinds & ~(INTEGER | NEGATIVE | UNSIGNED)) === 0;
}

/** As pandas reads columns; what it keeps as objects is text, with every character. */
function dtypeOfKinds(kinds: number, length: number): string {
  const text = `<U${Math.max(1, length)}`;
  if (kinds === 0 || kinds === MISSING) return '<f8';
  if (kinds === BOOL) return '|b1';
  if ((kinds & (TEXT | BOOL | LONG)) !== 0) return text;
  if (isInteger(kinds)) {
    if ((kinds & UNSIGNED) === 0) return '<i8';
    return (kinds & NEGATIVE) === 0 ? '<u8' : text;
  }
  // Doubles would round them, every one.
  if ((kinds & UNSIGNED) !== 0) return text;
  return (kinds & COMPLEX) === 0 ? ((kinds & (FLOAT | INTEGER)) === 0 ? text : '<f8') : '<c16';
}
