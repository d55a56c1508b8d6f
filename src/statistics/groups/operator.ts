/** The operations of a grouped query: one pass finds the groups and gathers their records, more search for quantiles. */
import { isWide } from '../../dtype/index.js';
import { LIMITS } from '../../limits.js';
import { nativeTypeOf } from '../../kernels/native-types.js';
import { isReduceOp } from '../ops.js';
import type { Plan, PlannedGroups } from '../plan.js';
import { columnsScan, groupedBounds, inLargerChunks } from '../plan-rows.js';
import { wantedOf } from '../quantiles/strategy.js';
import { QuantileResults } from '../quantiles/results.js';
import type { Wanted } from '../quantiles/wanted.js';
import type { Scan } from '../../scan/scan.js';
import { GroupQuantiles, type GroupQuantilesOptions } from './quantiles/group-quantiles.js';
import { seenIn } from '../accumulators/accumulator.js';
import { type AccumulatorName, accumulatorsOf } from '../accumulators/index.js';
import { partsOf, sortedGroupIndices } from '../../grouping/key-table.js';
import { keyValues } from './key-values.js';
import { type GroupCells, groupCellsOf, GroupStore } from './store.js';
import type { GroupedResult, GroupKeyValues, OperationResult } from '../result.js';
import type { PartialOf, SinkPartial, SpecOf } from '../specs.js';
import { turnOf, type Operator, type Pass } from '../pass.js';
import { failNan, finishStatistic, type Places, positionsOf } from '../accumulators/operator.js';

/** A value of the answer, and its text; more where it is a bigint. */
const VALUE_BYTES = 8 + LIMITS.jsonValueBytes;
const BIGINT_BYTES = 24;
const GROUP_INDEX_BYTES = 4;

export class GroupsOperator implements Operator {
  readonly #plan: Plan;
  readonly #groups: PlannedGroups;
  readonly #wanted: Wanted | undefined;
  readonly #cells: GroupCells;
  readonly #steps: Generator<Pass, void, void>;
  /** What looks for elements by rank, where some are asked for and there are some. */
  #quantiles: GroupQuantiles | undefined;
  #take: (partial: SinkPartial) => Generator<void, void> | void = () => {};
  /** Group indices of the groups in the order of their keys. */
  #order: Uint32Array = new Uint32Array();

  constructor(plan: Plan, groups: PlannedGroups) {
    const { query, dtype, cells } = plan;
    this.#plan = plan;
    this.#groups = groups;
    this.#wanted = wantedOf(query, dtype);
    const accumulators = cells === 0 ? [] : plan.spec.accumulators;
    const valuesPerCell = query.parameters?.quantile?.q.length ?? 1;
    const store = new GroupStore(partsOf(groups.keys).length, accumulators, dtype, { cells, valuesPerCell });
    this.#cells = groupCellsOf(plan, store);
    this.#steps = this.#run(accumulators);
  }

  /** What the groups that were found hold, with the answer that they will have. */
  get heldBytes(): number {
    const { store } = this.#cells;
    const { bound, dtype } = this.#plan;
    const perGroup = bound.values + store.cells + this.#groups.keys.length;
    const valueBytes = VALUE_BYTES + (isWide(dtype) ? BIGINT_BYTES : 0);
    return (
      store.bytes + (this.#quantiles?.bytes ?? 0) + store.table.size * (perGroup * valueBytes + 2 * GROUP_INDEX_BYTES)
    );
  }

  next(): Pass | undefined {
    const step = this.#steps.next();
    return step.done ? undefined : step.value;
  }

  combine(partial: SinkPartial): Generator<void, void> | void {
    return this.#take(partial);
  }

  *#run(accumulators: readonly AccumulatorName[]): Generator<Pass, void, void> {
    const scan = this.#scan(accumulators);
    if (!scan) return;
    // Buckets tell how many values are present.
    const findsGroups = accumulators.every(name => name === 'count');
    const quantiles = this.#quantilesOver(scan);
    this.#quantiles = quantiles;
    if (quantiles) yield* quantiles.sample(findsGroups);
    const buckets = quantiles?.buckets;
    if (buckets && findsGroups) {
      this.#take = partial => buckets.found.combine(partial as PartialOf<'group-buckets'>);
      yield { scan: this.#searchScan(scan), spec: buckets.spec };
    } else yield* this.#findGroups(scan, accumulators, quantiles);
    this.#refuseNan();
    this.#order = yield* this.#inTurns(sortedGroupIndices(this.#cells.store.table), scan);
    if (quantiles) yield* quantiles.search(this.#order);
  }

  *#findGroups(
    scan: Scan,
    accumulators: readonly AccumulatorName[],
    quantiles: GroupQuantiles | undefined,
  ): Generator<Pass, void, void> {
    const { store } = this.#cells;
    const buckets = quantiles?.buckets;
    const more: readonly AccumulatorName[] = quantiles && !buckets ? ['min', 'max'] : [];
    store.keep(more);
    const spec: SpecOf<'groups'> = {
      kind: 'groups',
      keys: this.#groups.keys,
      // Where no elements are read there is nothing to accumulate.
      accumulators: scan.rows!.readsElements ? accumulatorsOf([...accumulators, ...more]) : [],
      type: nativeTypeOf(this.#plan.dtype),
      dropsNan: this.#cells.countsNan,
      omitsNan: this.#plan.spec.omitsNan,
      indexStep: (this.#plan.query.rows?.step ?? 1) < 0 ? -1 : 1,
    };
    this.#take = partial =>
      'counted' in partial ? buckets!.found.combine(partial) : store.combine(partial as PartialOf<'groups'>);
    yield { scan, spec, ...(buckets && { also: [buckets.spec] }) };
  }

  /** What looks for elements, where some are asked for and there are some. */
  #quantilesOver(scan: Scan): GroupQuantiles | undefined {
    const { rowElements } = this.#plan;
    const wanted = this.#wanted;
    if (!wanted || rowElements === 0) return undefined;
    const options: GroupQuantilesOptions = {
      keys: this.#groups.keys,
      wanted,
      scan: this.#searchScan(scan),
      plan: this.#plan,
      elements: rowElements * this.#groups.total,
    };
    return new GroupQuantiles(options, this.#cells, take => {
      this.#take = take;
    });
  }

  #searchScan(scan: Scan): Scan {
    return inLargerChunks(scan, LIMITS.groupSearchChunks, this.#plan.bounds.chunkSpanBytesMax);
  }

  *#inTurns<T>(steps: Generator<void, T>, scan: Scan): Generator<Pass, T, void> {
    for (;;) {
      const step = steps.next();
      if (step.done) return step.value;
      yield turnOf(scan);
    }
  }

  /** Over the elements, or over the keys alone where no element is asked for; undefined where there are no rows. */
  #scan(accumulators: readonly AccumulatorName[]): Scan | undefined {
    const { scan, dtype } = this.#plan;
    const { total, rows } = this.#groups;
    if (total === 0) return undefined;
    const readsElements = accumulators.length > 0 || this.#wanted !== undefined;
    if (scan.chunkCount > 0 && readsElements) return scan;
    const keys = columnsScan(
      scan.source,
      total,
      rows.before?.pieceRows ?? 1,
      rows,
      groupedBounds(this.#plan.bounds, dtype.itemsize),
    );
    return { ...keys, rows: { ...keys.rows!, slice: rows.slice, within: rows.within, before: rows.before } };
  }

  #refuseNan(): void {
    const { store } = this.#cells;
    if (this.#plan.query.nan !== 'raise' || !this.#cells.countsNan) return;
    for (let cell = 0; cell < store.table.size * store.cells; cell++) {
      if (seenIn(this.#cells, cell) < this.#cells.sizeOf(cell)) failNan(this.#cells.dtype);
    }
  }

  /** Everything is in the grouped result. */
  *finish(): Generator<void, Map<number, OperationResult>> {
    const found = yield* this.#finishSelected();
    for (const [at, op] of this.#plan.query.ops.entries()) {
      if (isReduceOp(op)) found.set(at, yield* finishStatistic(op, this.#cells, this.#places()));
    }
    return found;
  }

  /** The groups in the order of their keys, how many elements each used, and what its keys are. */
  *grouped(): Generator<void, GroupedResult> {
    const keys: GroupKeyValues[] = [];
    for (let key = 0; key < this.#groups.keys.length; key++) keys.push(yield* this.#keyValues(key));
    const counts = yield* finishStatistic('count', this.#cells, this.#places());
    return { groups: this.#order.length, isList: this.#groups.isList, keys, counts };
  }

  *#finishSelected(): Generator<void, Map<number, OperationResult>> {
    if (!this.#wanted) return new Map();
    const found = this.#quantiles?.results;
    const results = found ?? new QuantileResults(this.#plan, this.#wanted, this.#order.length);
    return yield* results.finish(!found);
  }

  /** A value for each cell of each group: groups in the order of their keys, cells in that of the answer. */
  #places(): Places {
    const { shape, cells } = this.#plan;
    const positions = positionsOf(this.#plan);
    const order = this.#order;
    const groups = order.length;
    return {
      shape: [groups, ...shape],
      length: groups * cells,
      cellOf(i) {
        const group = Math.floor(i / cells);
        return order[group]! * cells + i - group * cells;
      },
      placeOf: positions ? i => i - (i % cells) + positions[i % cells]! : i => i,
    };
  }

  *#keyValues(number: number): Generator<void, GroupKeyValues> {
    const { keys, forms } = this.#groups;
    const codeOf = codeReader(this.#cells.store, keys, number);
    const codes = (i: number): bigint => codeOf(this.#order[i]!);
    return yield* keyValues(keys[number]!, forms[number]!, this.#order.length, codes);
  }
}

/** Reads the code of one key of a group out of the parts that it was packed into. */
function codeReader(
  { table }: GroupStore,
  keys: PlannedGroups['keys'],
  number: number,
): (groupIndex: number) => bigint {
  const parts = partsOf(keys);
  const part = parts.findIndex(each => each.includes(keys[number]!));
  const own = parts[part]!;
  const at = own.indexOf(keys[number]!);
  const shift = BigInt(own.slice(at + 1).reduce((bits, key) => bits + key.bits, 0));
  const { bits } = own[at]!;
  return groupIndex => {
    const word = groupIndex * table.words + 2 * part;
    const packed = (BigInt(table.keys[word + 1]!) << 32n) | BigInt(table.keys[word]!);
    return BigInt.asUintN(bits, packed >> shift);
  };
}
