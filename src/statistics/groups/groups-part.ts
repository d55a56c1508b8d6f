/** The operations of a grouped query: one round finds the groups and gathers their records. */
import { parseDType, withByteOrder, type DType } from '../../dtype.js';
import { fail } from '../../errors.js';
import { LIMITS } from '../../limits.js';
import { valueOfCode, type ExactNumber } from '../codes.js';
import { dtypeOf, positionsOf, type GroupedResult, type GroupKeyValues, type OperationResult } from '../finish.js';
import { nativeTypeOf } from '../native-types.js';
import { isReduceOp, type OpName } from '../ops.js';
import type { Partial, Part, Round } from '../part.js';
import type { Plan, PlannedGroups } from '../plan.js';
import { columnsWalk, groupedBounds } from '../rows/plan-rows.js';
import type { Walk } from '../walk.js';
import { FORMULAS, dropsNan, isMissing, recordsOf, usedIn, type GroupCells } from './formulas.js';
import { sortedOrdinals } from './key-table.js';
import { partsOf, type GroupsMeasure, type GroupsPartial } from './measure.js';
import { GroupStore } from './store.js';

const INT64 = parseDType('<i8');

export class GroupsPart implements Part {
  readonly #plan: Plan;
  readonly #groups: PlannedGroups;
  readonly #measure: GroupsMeasure;
  readonly #cells: GroupCells;
  readonly #steps: Generator<Round, void, void>;
  #take: (partial: Partial) => void = () => {};
  /** Ordinals of the groups in the order of their keys. */
  #order = new Uint32Array();

  constructor(plan: Plan, groups: PlannedGroups) {
    const { query, dtype, cells } = plan;
    this.#plan = plan;
    this.#groups = groups;
    const type = nativeTypeOf(dtype);
    const records = cells === 0 ? [] : recordsOf(query, dtype);
    // Where no elements are read there are none to keep records of.
    const measured = plan.walk.chunkCount > 0 ? records : [];
    this.#measure = { kind: 'groups', keys: groups.keys, records: measured, type, dropsNan: dropsNan(query, dtype) };
    const store = new GroupStore(partsOf(groups.keys).length, records, type, cells);
    // Of a row; the plan's cells are those of all rows.
    const perRow = plan.rowElements / Math.max(1, cells);
    this.#cells = { query, dtype, store, perRow, dropsNan: this.#measure.dropsNan };
    this.#steps = this.#run();
  }

  next(): Round | undefined {
    const step = this.#steps.next();
    return step.done ? undefined : step.value;
  }

  merge(partial: Partial): void {
    this.#take(partial);
  }

  *#run(): Generator<Round, void, void> {
    const walk = this.#walk();
    if (!walk) return;
    this.#take = partial => this.#cells.store.merge(partial as GroupsPartial);
    yield { walk, measure: this.#measure };
    this.#refuseNan();
  }

  /** Over the elements, or over the keys alone where no element is asked for; undefined where there are no rows. */
  #walk(): Walk | undefined {
    const { walk, dtype } = this.#plan;
    const { total, rows } = this.#groups;
    if (total === 0) return undefined;
    if (walk.chunkCount > 0 && this.#measure.records.length > 0) return walk;
    const keys = columnsWalk(
      walk.source,
      total,
      rows.before?.pieceRows ?? 1,
      rows,
      groupedBounds(this.#plan.bounds, dtype.itemsize),
    );
    return { ...keys, rows: { ...keys.rows!, slice: rows.slice, within: rows.within, before: rows.before } };
  }

  #refuseNan(): void {
    const { store } = this.#cells;
    if (this.#plan.query.nan !== 'raise' || !this.#cells.dropsNan) return;
    for (let cell = 0; cell < store.table.size * store.cells; cell++) {
      if (isMissing(this.#cells, cell)) {
        fail('nan_found', 'The selection holds NaN. Ask for nan=omit to leave them out, or nan=propagate.');
      }
    }
  }

  /** Everything is in the grouped result. */
  *finish(): Generator<void, Map<number, OperationResult>> {
    const found = new Map<number, OperationResult>();
    this.#order = yield* sortedOrdinals(this.#cells.store.table);
    for (const [at, op] of this.#plan.query.ops.entries()) found.set(at, yield* this.#finishOp(op));
    return found;
  }

  /** The groups in the order of their keys, how many elements each used, and what its keys are. */
  *grouped(): Generator<void, GroupedResult> {
    const keys: GroupKeyValues[] = [];
    for (let key = 0; key < this.#groups.keys.length; key++) keys.push(yield* this.#keyValues(key));
    const counts = yield* this.#values('count', INT64, cell => usedIn(this.#cells, cell));
    return { groups: this.#order.length, isList: this.#groups.isList, keys, counts };
  }

  *#finishOp(op: OpName): Generator<void, OperationResult> {
    const formula = isReduceOp(op) && op !== 'argmin' && op !== 'argmax' ? FORMULAS[op] : undefined;
    if (!formula || !isReduceOp(op)) return fail('bad_operation', `This version does not group ${op}.`, { op });
    return yield* this.#values(op, dtypeOf(op, this.#plan.dtype), cell => formula(this.#cells, cell));
  }

  /** A value per cell of each group, cells in the order of the answer. */
  *#values(op: OpName, dtype: DType, valueOf: (cell: number) => ExactNumber): Generator<void, OperationResult> {
    const { shape, cells } = this.#plan;
    const positions = positionsOf(this.#plan);
    const groups = this.#order.length;
    const values = new Float64Array(groups * cells);
    let exact: bigint[] | undefined;
    for (let i = 0; i < values.length; i++) {
      if ((i + 1) % LIMITS.cellsPerTurn === 0) yield;
      const group = Math.floor(i / cells);
      const cell = i - group * cells;
      const at = group * cells + (positions ? positions[cell]! : cell);
      const value = valueOf(this.#order[group]! * cells + cell);
      if (typeof value === 'bigint') exact ??= Array.from<bigint>({ length: values.length });
      if (typeof value === 'bigint') exact![at] = value;
      else values[at] = value;
    }
    if (exact) for (let i = 0; i < values.length; i++) exact[i] ??= BigInt(values[i]!);
    return { op, name: op, dtype, shape: [groups, ...shape], values: exact ?? values };
  }

  /** The values of one key, group by group: of a key with bins the number of the bin. */
  *#keyValues(number: number): Generator<void, GroupKeyValues> {
    const { keys, edges } = this.#groups;
    const { column, bins } = keys[number]!;
    const codeOf = codeReader(this.#cells.store, keys, number);
    const type = nativeTypeOf(column.dtype);
    const isWide = !bins && (type === 'i64' || type === 'u64');
    const groups = this.#order.length;
    const values = isWide ? Array.from<bigint>({ length: groups }) : new Float64Array(groups);
    for (let i = 0; i < groups; i++) {
      if ((i + 1) % LIMITS.cellsPerTurn === 0) yield;
      const code = codeOf(this.#order[i]!);
      const value = bins ? Number(code) : valueOfCode(type, code);
      if (values instanceof Float64Array) values[i] = Number(value);
      else values[i] = BigInt(value);
    }
    const dtype = column.dtype.itemsize === 1 ? column.dtype : withByteOrder(column.dtype, '<');
    return { dtype, values, edges: edges[number] };
  }
}

/** Reads the code of one key of a group out of the parts that it was packed into. */
function codeReader({ table }: GroupStore, keys: PlannedGroups['keys'], number: number): (ordinal: number) => bigint {
  const parts = partsOf(keys);
  const part = parts.findIndex(each => each.includes(keys[number]!));
  const own = parts[part]!;
  const at = own.indexOf(keys[number]!);
  const shift = BigInt(own.slice(at + 1).reduce((bits, key) => bits + key.bits, 0));
  const { bits } = own[at]!;
  return ordinal => {
    const word = ordinal * table.words + 2 * part;
    const packed = (BigInt(table.keys[word + 1]!) << 32n) | BigInt(table.keys[word]!);
    return BigInt.asUintN(bits, packed >> shift);
  };
}
