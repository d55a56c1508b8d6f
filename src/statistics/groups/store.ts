/**
 * The groups of a query and their cells, combined from partials. Memory grows with the groups that are found: their keys
 * and slots, about 24 bytes each, and the fields of their cells.
 */
import type { DType } from '../../dtype/index.js';
import { fail } from '../../errors.js';
import { LIMITS } from '../../limits.js';
import { isTurnOver, ITEMS_PER_TURN } from '../../turns.js';
import { ACCUMULATORS, accumulatorsOf, fieldsOf, type AccumulatorName } from '../accumulators/index.js';
import { KeyTable } from '../../grouping/key-table.js';
import { type Cells, type Fields, newFields } from '../accumulators/accumulator.js';
import type { Plan } from '../plan.js';
import type { GroupedResult, StatisticsResult } from '../result.js';
import { cellsOf } from '../accumulators/operator.js';
import type { GroupsSegment, PartialOf } from '../specs.js';

/** Memory for so many groups at first; for fewer, where each has many cells. */
const FIRST_GROUPS = 256;
const FIRST_CELLS_MAX = 16 * 1024;

export class GroupStore {
  readonly table: KeyTable;
  /** Cells of each group. */
  readonly cells: number;
  readonly #dtype: DType;
  readonly #valuesPerCell: number;
  #accumulators: readonly AccumulatorName[];
  /** Rows of each group. */
  rows: Float64Array;
  /** Of all cells: cell c of group g is item `g * cells + c`. */
  readonly fields: Fields = {};

  /** @param parts words of 64 bits of a key */
  constructor(
    parts: number,
    accumulators: readonly AccumulatorName[],
    dtype: DType,
    { cells, valuesPerCell = 1 }: { readonly cells: number; readonly valuesPerCell?: number },
  ) {
    this.table = new KeyTable(parts);
    this.cells = cells;
    this.#dtype = dtype;
    this.#valuesPerCell = valuesPerCell;
    const groups = Math.max(1, Math.min(FIRST_GROUPS, Math.floor(FIRST_CELLS_MAX / Math.max(1, cells))));
    this.rows = new Float64Array(groups);
    this.#accumulators = [];
    this.keep(accumulators);
  }

  /** What it holds. */
  get bytes(): number {
    let bytes = this.table.bytes + this.rows.byteLength;
    for (const field of Object.values(this.fields)) bytes += field!.byteLength;
    return bytes;
  }

  /** Keeps more accumulators. Nothing may have been combined yet. */
  keep(more: readonly AccumulatorName[]): void {
    this.#accumulators = accumulatorsOf([...this.#accumulators, ...more]);
    Object.assign(this.fields, this.#emptyFields(this.rows.length));
  }

  #emptyFields(groups: number): Fields {
    return newFields(fieldsOf(this.#accumulators, this.#dtype), groups * this.cells);
  }

  /** Group indices of keys, part by part, in turns. @throws too_large */
  *groupIndicesOf(keys: BigUint64Array<ArrayBuffer>, groups: number): Generator<void, Uint32Array> {
    const { words } = this.table;
    const keyWords = new Uint32Array(keys.buffer);
    const groupIndices = new Uint32Array(groups);
    for (let i = 0; i < groups; i++) {
      groupIndices[i] = this.table.groupIndexOf(keyWords, i * words);
      if (isTurnOver(i)) yield;
    }
    this.#grow();
    return groupIndices;
  }

  /** In turns: a chunk may have as many groups as elements. @throws too_large */
  *combine(partial: PartialOf<'groups'>): Generator<void, void> {
    for (const segment of partial.segments) yield* this.#combineSegment(segment, partial);
  }

  *#combineSegment(
    { groups, keys, rows, fields }: GroupsSegment,
    { cellStart, cellCount }: PartialOf<'groups'>,
  ): Generator<void, void> {
    const groupIndices = yield* this.groupIndicesOf(keys, groups);
    for (let i = 0; i < groups; i++) this.rows[groupIndices[i]!]! += rows[i]!;
    const perTurn = Math.ceil(ITEMS_PER_TURN / Math.max(1, cellCount));
    for (const name of this.#accumulators) {
      // Where no elements were read there are none to add.
      if (Object.keys(fieldsOf([name], this.#dtype)).some(field => !fields[field])) continue;
      const { combine } = ACCUMULATORS[name];
      for (let i = 0; i < groups; i++) {
        combine(this.fields, groupIndices[i]! * this.cells + cellStart, fields, i * cellCount, cellCount);
        if (isTurnOver(i, perTurn)) yield;
      }
    }
  }

  #grow(): void {
    const { size } = this.table;
    const perGroup = this.cells * this.#valuesPerCell;
    if (size * perGroup > LIMITS.cellsMax) {
      fail(
        'too_large',
        `There are ${size} groups or more, of ${perGroup} values each; at most ${LIMITS.cellsMax} values are possible. Reduce more axes, or group by fewer keys.`,
        { limit: LIMITS.cellsMax, groups: size },
      );
    }
    if (size <= this.rows.length) return;
    const most = perGroup === 0 ? LIMITS.groupsMax : Math.floor(LIMITS.cellsMax / perGroup);
    const capacity = Math.max(size, Math.min(most, 2 * this.rows.length));
    const larger = new Float64Array(capacity);
    larger.set(this.rows);
    this.rows = larger;
    for (const [name, field] of Object.entries(this.#emptyFields(capacity))) {
      field!.set(this.fields[name]!);
      this.fields[name] = field;
    }
  }
}

export interface GroupCells extends Cells {
  readonly store: GroupStore;
  /** Elements that a row has in each cell of its group. */
  readonly perRow: number;
}

export function groupCellsOf(plan: Plan, store: GroupStore): GroupCells {
  // Of a row; the plan's cells are those of all rows.
  const perRow = plan.rowElements / Math.max(1, plan.cells);
  const sizeOf = (cell: number): number => store.rows[Math.floor(cell / store.cells)]! * perRow;
  return { ...cellsOf(plan, store.fields, sizeOf), store, perRow };
}

/** Elements used in all groups: one number, or one per cell where they differ. */
export function countAll({ shape, cells }: Plan, { counts }: GroupedResult): StatisticsResult['count'] {
  const sums = new Float64Array(cells);
  for (const [i, count] of counts.values.entries()) sums[i % cells]! += Number(count);
  const [first = 0] = sums;
  return sums.every(sum => sum === first) ? first : { ...counts, shape, values: sums };
}
