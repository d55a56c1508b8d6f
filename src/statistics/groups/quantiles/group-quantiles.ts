/**
 * Median and quantiles of groups. Where there is much data, a sample tells how many groups there are and what the values
 * are like: then the pass that finds the groups also counts their values by buckets, and what is left to look into is
 * little. Else ranges begin with the extremes of each cell, or with all keys.
 */
import type { GroupKey } from '../../../grouping/keys.js';
import { isTime } from '../../../dtype/index.js';
import { nativeTypeOf, type NativeType } from '../../../kernels/native-types.js';
import { Places, type Wanted } from '../../quantiles/wanted.js';
import { hasWholeRows } from '../../plan-rows.js';
import type { Plan } from '../../plan.js';
import type { Scan } from '../../../scan/scan.js';
import { hasNan, seenIn } from '../../accumulators/accumulator.js';
import { KeyTable, partsOf } from '../../../grouping/key-table.js';
import { BUCKET_COUNTERS_MAX } from './buckets.js';
import { bucketOfRank, FoundBuckets } from './found-buckets.js';
import { keyBounds, scaleOf, type Scale } from './scale.js';
import { extremeRange, wholeRange, type KeyRange } from '../../quantiles/key-ranges.js';
import { QuantileResults } from '../../quantiles/results.js';
import { elementsOf, searchCells, type Search, type Searched, turnsOf } from '../../quantiles/search.js';
import type { PartialOf, SpecOf } from '../../specs.js';
import { turnOf, type Pass } from '../../pass.js';
import type { GroupCells } from '../store.js';

/** Pieces of a sample, and elements and rows of a piece at most. */
const SAMPLE_PIECES = 12;
const PIECE_ELEMENTS = 64 * 1024;
const PIECE_ROWS = 2048;
/** A range that is looked into, with its keys, on the thread that combines; and counters of one at most. */
const RANGE_BYTES = 256;
const COUNTERS_PER_RANGE = 4096;
const BUCKETS_MIN = 32;
const BUCKETS_MAX = 1024;

export interface GroupQuantilesOptions {
  readonly keys: readonly GroupKey[];
  readonly wanted: Wanted;
  /** Of passes that look for elements; its chunks may be larger than those of a pass that finds groups. */
  readonly scan: Scan;
  readonly plan: Plan;
  /** Elements of all rows, used or not. */
  readonly elements: number;
}

export class GroupQuantiles {
  readonly #options: GroupQuantilesOptions;
  readonly #cells: GroupCells;
  readonly #type: NativeType;
  readonly #taken: Searched['taken'];
  #buckets: FoundBuckets | undefined;
  /** Of all groups, when they are known. */
  results: QuantileResults | undefined;
  /** Of the keys that are known, and of the batch that is searched. */
  #searchBytes = 0;

  constructor(options: GroupQuantilesOptions, cells: GroupCells, taken: Searched['taken']) {
    this.#options = options;
    this.#cells = cells;
    this.#type = nativeTypeOf(cells.dtype);
    this.#taken = taken;
  }

  /** A pass over a few rows, where that pays; afterwards `buckets` says what to count while groups are found. */
  *sample(findsGroups: boolean): Generator<Pass, void, void> {
    const { scan, plan, elements, keys } = this.#options;
    const isWhole = scan.rows!.before === undefined && hasWholeRows(scan);
    // Buckets know of no NaT.
    if (elements < plan.bounds.search.sampledMin || !isWhole || isTime(plan.dtype)) return;
    const found = new KeyTable(partsOf(keys).length);
    const values: Float64Array[] = [];
    let rows = 0;
    this.#taken(partial => {
      const sample = partial as PartialOf<'group-sample'>;
      const words = new Uint32Array(sample.keys.buffer);
      for (let at = 0; at < words.length; at += found.words) found.groupIndexOf(words, at);
      values.push(sample.values.filter(Number.isFinite));
      rows += sample.rows;
    });
    yield { scan: sampleScan(scan), spec: { kind: 'group-sample', keys } };
    // More would come up with more rows.
    if (found.size > rows / 4) return;
    const scale = this.#scaleOf(found.size, values);
    const { store, perRow } = this.#cells;
    if (scale) this.#buckets = new FoundBuckets(scale, store, { elements, perRow, findsGroups });
  }

  #scaleOf(groups: number, values: readonly Float64Array[]): Scale | undefined {
    const all = new Float64Array(values.reduce((sum, each) => sum + each.length, 0));
    let at = 0;
    for (const each of values) {
      all.set(each, at);
      at += each.length;
    }
    const perCell = BUCKET_COUNTERS_MAX / (Math.max(1, groups) * this.#cells.store.cells);
    const buckets = Math.min(BUCKETS_MAX, 2 ** Math.floor(Math.log2(perCell)));
    return buckets < BUCKETS_MIN ? undefined : scaleOf(this.#type, all.sort(), buckets);
  }

  /** What it holds. */
  get bytes(): number {
    return (this.#buckets?.bytes ?? 0) + (this.results?.bytes ?? 0) + this.#searchBytes;
  }

  /** What is counted in the pass that finds the groups, and who takes it. */
  get buckets(): { spec: SpecOf<'group-buckets'>; found: FoundBuckets } | undefined {
    const found = this.#buckets;
    return found && { spec: { kind: 'group-buckets', keys: this.#options.keys, scale: found.scale }, found };
  }

  /** The passes that find all elements. The groups are known, in this order. */
  *search(order: Uint32Array): Generator<Pass, void, void> {
    const { wanted, scan, plan, keys } = this.#options;
    const { store } = this.#cells;
    const places = new Places(wanted);
    const results = new QuantileResults(plan, wanted, order.length);
    this.results = results;
    const known = yield* this.#known(order);
    this.#searchBytes = known.byteLength + this.#batchBytes(order.length * store.cells);
    const searched = {
      type: this.#type,
      scan,
      groups: { keys, known, cellsPerGroup: store.cells },
      bounds: plan.bounds.search,
      turns: turnsOf(scan),
      taken: this.#taken,
    };
    yield* searchCells(this.#searches(order, places), searched, search => {
      results.set(search.cell, places.answersOf(search.count, elementsOf(this.#type, search)));
    });
    this.#searchBytes = 0;
  }

  /** Ranges, and what is counted or collected in them at a time. */
  #batchBytes(cells: number): number {
    const { plan, elements, wanted } = this.#options;
    const { rangesMax, countersMax, collectedMax } = plan.bounds.search;
    const perCell = 2 * ((wanted.median ? 1 : 0) + (wanted.quantile?.q.length ?? 0));
    const ranks = Math.min(rangesMax + perCell, cells * perCell);
    const counters = Math.min(countersMax, ranks * COUNTERS_PER_RANGE);
    return ranks * RANGE_BYTES + 8 * Math.max(counters, Math.min(collectedMax, elements));
  }

  /** What to look for in each cell, group by group; undefined where that is nothing. */
  *#searches(order: Uint32Array, places: Places): Generator<Search | undefined, void> {
    const { cells } = this.#cells.store;
    const rangesOf = this.#rangesOf();
    for (let cell = 0; cell < order.length * cells; cell++) {
      const group = Math.floor(cell / cells);
      // The cell in the fields of the groups.
      const own = order[group]! * cells + (cell - group * cells);
      const count = seenIn(this.#cells, own);
      const isAnswered = count === 0 || hasNan(this.#cells, own);
      const ranks = isAnswered ? [] : places.ranksOf(count);
      const found = ranks.map(() => undefined);
      yield isAnswered ? undefined : { cell, count, hasNan: false, ranks, ranges: rangesOf(own, count, ranks), found };
    }
  }

  /** The ranges that the search of a cell begins with. */
  #rangesOf(): (own: number, count: number, ranks: readonly number[]) => KeyRange[] {
    const buckets = this.#buckets?.isLost === false ? this.#buckets : undefined;
    if (buckets) {
      const bounds = keyBounds(buckets.scale, this.#type);
      return (own, _, ranks) => {
        const running = buckets.runningOf(own);
        let last: { bucket: number; range: KeyRange } | undefined;
        return ranks.map(rank => {
          const bucket = bucketOfRank(running, rank);
          if (last?.bucket === bucket) return last.range;
          const [low, next] = [bounds[bucket]!, bounds[bucket + 1]!];
          const below = running[bucket - 1]!;
          last = { bucket, range: { low, span: next - 1n - low, below, count: running[bucket]! - below } };
          return last.range;
        });
      };
    }
    const hasExtremes = this.#cells.store.fields.min !== undefined;
    return (own, count, ranks) => {
      const range = hasExtremes ? extremeRange(this.#cells, own, count) : wholeRange(this.#type, count);
      return ranks.map(() => range);
    };
  }

  /** The codes of all groups in their order, in shared memory. */
  *#known(order: Uint32Array): Generator<Pass, BigUint64Array, void> {
    const { table } = this.#cells.store;
    const { words, keys } = table;
    const known = new BigUint64Array(new SharedArrayBuffer(4 * words * order.length));
    const into = new Uint32Array(known.buffer);
    for (const [i, groupIndex] of order.entries()) {
      for (let word = 0; word < words; word++) into[i * words + word] = keys[groupIndex * words + word]!;
      if ((i + 1) % 65_536 === 0) yield turnOf(this.#options.scan);
    }
    return known;
  }
}

/** A few pieces of a scan, from all over it. */
function sampleScan(scan: Scan): Scan {
  const at = scan.box.axes.findIndex(axis => axis.rows);
  const perRow = scan.box.axes.reduce((product, axis, i) => (i === at ? product : product * axis.length), 1);
  const total = scan.box.axes[at]!.length;
  const rows = Math.max(1, Math.min(total, PIECE_ROWS, Math.floor(PIECE_ELEMENTS / perRow)));
  const lengths = scan.box.axes.map((axis, i) => (i === at ? rows : axis.length));
  const boxes = Math.ceil(total / rows);
  const every = Math.max(1, Math.floor(boxes / SAMPLE_PIECES));
  const chunkCount = Math.ceil(boxes / every);
  const bytes = scan.bytes * Math.min(1, (chunkCount * rows) / total);
  return { ...scan, grid: { lengths, boxes, phase: 0 }, every, chunkCount, bytes };
}
