/** Parts of a filter, decided where they do not depend on what a file holds. */
import { hasNan } from '../kernels/sort-keys.js';
import { KEEPS_ALL, valueTypeOf, type Filter, type RowColumn } from './filter.js';
import { isEveryNumber, sealSet, type ValueSet } from './value-set.js';

/** A test of a column, or a constant where it does not depend on the column's values. */
export function* testOf(column: RowColumn, set: ValueSet): Generator<void, Filter> {
  const type = valueTypeOf(column);
  const keepsNan = set.nan || !hasNan(type);
  if (set.intervals.length === 0 && !(hasNan(type) && set.nan)) return { kind: 'constant', keeps: false };
  if (keepsNan && isEveryNumber(type, set)) return KEEPS_ALL;
  return { kind: 'test', column, set: yield* sealSet(type, set) };
}

/** The rows that a filter leaves out. */
export function negated(of: Filter): Filter {
  return of.kind === 'constant' ? { kind: 'constant', keeps: !of.keeps } : { kind: 'not', of };
}
