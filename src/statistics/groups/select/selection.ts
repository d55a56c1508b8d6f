/**
 * Median and quantiles of groups. Where there is much data, a sample tells how many groups there are and what the values
 * are like: then the pass that finds the groups also counts their values by buckets, and what is left to look into is
 * little. Else ranges begin with the extremes of each cell, or with all codes.
 */
import { codeOfRank, ranksOf, valueOfCode } from '../../codes.js';
import { nativeTypeOf, type NativeType } from '../../../kernels/native-types.js';
import { newValues, setValue } from '../../quantiles/gather-sink.js';
import { Places, type Wanted } from '../../quantiles/wanted.js';
import { hasWholeRows } from '../../plan-rows.js';
import { emptyScan, type Scan } from '../../scan/scan.js';
import { extremeCodes, type GroupCells } from '../cells.js';
import { hasNan, seenIn } from '../../accumulators/accumulator.js';
import { KeyTable, partsOf } from '../key-table.js';
import { BUCKET_COUNTERS_MAX } from './buckets.js';
import { bucketOfRank, FoundBuckets } from './found-buckets.js';
import { codeBounds, scaleOf, type Scale } from './scale.js';
import { searchBatch, type CodeRange, type GroupSearchBounds, type Search } from './search.js';
import type {
  BucketsSpec,
  CodesSpec,
  GroupKey,
  SinkSpec,
  Ranges,
  SamplePartial,
  SinkPartial,
  Values,
} from '../../specs.js';
import type { Pass } from '../../pass.js';

/** Pieces of a sample, and elements and rows of a piece at most. */
const SAMPLE_PIECES = 12;
const PIECE_ELEMENTS = 64 * 1024;
const PIECE_ROWS = 2048;
/** A range that is looked into, with its codes, on the thread that merges; and counters of one at most. */
const RANGE_BYTES = 256;
const COUNTERS_PER_RANGE = 4096;
const BUCKETS_MIN = 32;
const BUCKETS_MAX = 1024;

export interface SelectionOptions {
  readonly keys: readonly GroupKey[];
  readonly wanted: Wanted;
  /** Of passes that look for elements; its chunks may be larger than those of a pass that finds groups. */
  readonly scan: Scan;
  readonly bounds: GroupSearchBounds;
  /** Elements of all rows, used or not. */
  readonly elements: number;
}

export class GroupSelection {
  readonly #options: SelectionOptions;
  readonly #cells: GroupCells;
  readonly #type: NativeType;
  readonly #taken: (take: (partial: SinkPartial) => void) => void;
  readonly #turn: Pass;
  #buckets: FoundBuckets | undefined;
  /** By cell: group * cells of a group + cell. Those of quantiles for the first one, then for the next. */
  median: Float64Array = new Float64Array();
  quantiles: Values | undefined;
  /** Of the keys that are known, and of the batch that is searched. */
  #searchBytes = 0;

  constructor(options: SelectionOptions, cells: GroupCells, taken: (take: (partial: SinkPartial) => void) => void) {
    this.#options = options;
    this.#cells = cells;
    this.#type = nativeTypeOf(cells.dtype);
    this.#taken = taken;
    const { scan } = options;
    this.#turn = { scan: emptyScan(scan.dtype, scan.tileBytesMax), spec: { kind: 'group-sample', keys: [] } };
  }

  /** A pass over a few rows, where that pays; afterwards `buckets` says what to count while groups are found. */
  *sample(findsGroups: boolean): Generator<Pass, void, void> {
    const { scan, bounds, elements, keys } = this.#options;
    const isWhole = scan.rows!.before === undefined && hasWholeRows(scan);
    if (elements < bounds.sampledMin || !isWhole) return;
    const found = new KeyTable(partsOf(keys).length);
    const values: Float64Array[] = [];
    let rows = 0;
    this.#taken(partial => {
      const sample = partial as SamplePartial;
      const words = new Uint32Array(sample.keys.buffer);
      for (let at = 0; at < words.length; at += found.words) found.ordinalOf(words, at);
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
    const answers = this.median.byteLength + (this.quantiles?.byteLength ?? 0);
    return (this.#buckets?.bytes ?? 0) + answers + this.#searchBytes;
  }

  /** What is counted in the pass that finds the groups, and who takes it. */
  get buckets(): { spec: BucketsSpec; found: FoundBuckets } | undefined {
    const found = this.#buckets;
    return found && { spec: { kind: 'group-buckets', keys: this.#options.keys, scale: found.scale }, found };
  }

  /** The passes that find all elements. The groups are known, in this order. */
  *select(order: Uint32Array): Generator<Pass, void, void> {
    const { wanted, bounds } = this.#options;
    const { store } = this.#cells;
    const cells = order.length * store.cells;
    this.median = wanted.median ? new Float64Array(cells).fill(Number.NaN) : new Float64Array();
    this.quantiles = wanted.quantile ? newValues(wanted, cells * wanted.quantile.q.length) : undefined;
    if (this.quantiles instanceof Float64Array) this.quantiles.fill(Number.NaN);
    const known = yield* this.#known(order);
    this.#searchBytes = known.byteLength;
    const places = new Places(wanted);
    const rangesOf = this.#rangesOf();
    let batch: Search[] = [];
    let ranks = 0;
    for (let cell = 0; cell < cells; cell++) {
      const search = this.#searchOf(cell, order, places, rangesOf);
      if (search) batch.push(search);
      ranks += search?.ranks.length ?? 0;
      if (ranks < bounds.rangesMax && cell < cells - 1) {
        if ((cell + 1) % 2048 === 0) yield this.#turn;
        continue;
      }
      this.#searchBytes = known.byteLength + this.#batchBytes(ranks);
      yield* searchBatch(batch, bounds, {
        type: this.#type,
        digits: (where, bits) => ({ kind: 'group-digits', ...this.#spec(known, where), bits }),
        codes: where => ({ kind: 'group-codes', ...this.#spec(known, where) }),
        passOf: (spec: SinkSpec): Pass => ({ scan: this.#options.scan, spec }),
        turn: this.#turn,
        taken: this.#taken,
      });
      for (const each of batch) this.#answer(each, order, places, cells);
      batch = [];
      ranks = 0;
    }
    this.#searchBytes = 0;
  }

  /** Ranges, and what is counted or collected in them at a time. */
  #batchBytes(ranks: number): number {
    const { bounds, elements } = this.#options;
    const counters = Math.min(bounds.countersMax, ranks * COUNTERS_PER_RANGE);
    return ranks * RANGE_BYTES + 8 * Math.max(counters, Math.min(bounds.collectedMax, elements));
  }

  #spec(known: BigUint64Array, where: Ranges): Omit<CodesSpec, 'kind'> {
    return { keys: this.#options.keys, known, cellsPerGroup: this.#cells.store.cells, where };
  }

  /** The cell in the records of the groups. */
  #ownCell(cell: number, order: Uint32Array): number {
    const { cells } = this.#cells.store;
    const group = Math.floor(cell / cells);
    return order[group]! * cells + (cell - group * cells);
  }

  /** Undefined where there is nothing to look for. */
  #searchOf(
    cell: number,
    order: Uint32Array,
    places: Places,
    rangesOf: (own: number, ranks: readonly number[]) => CodeRange[],
  ): Search | undefined {
    const own = this.#ownCell(cell, order);
    const count = seenIn(this.#cells, own);
    if (count === 0 || hasNan(this.#cells, own)) return undefined;
    const ranks = places.ranksOf(count);
    return { cell, ranks, ranges: rangesOf(own, ranks), found: ranks.map(() => undefined) };
  }

  /** The ranges that the search of a cell begins with. */
  #rangesOf(): (own: number, ranks: readonly number[]) => CodeRange[] {
    const buckets = this.#buckets?.isLost === false ? this.#buckets : undefined;
    if (buckets) {
      const bounds = codeBounds(buckets.scale, this.#type);
      return (own, ranks) => {
        const running = buckets.runningOf(own);
        let last: { bucket: number; range: CodeRange } | undefined;
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
    const { store } = this.#cells;
    const { min, max } = ranksOf(this.#type);
    const all = { least: codeOfRank(this.#type, min), most: codeOfRank(this.#type, max) };
    return (own, ranks) => {
      const { least, most } = store.fields.min ? extremeCodes(this.#cells, own) : all;
      const range = { low: least, span: most - least, below: 0, count: seenIn(this.#cells, own) };
      return ranks.map(() => range);
    };
  }

  #answer({ cell, ranks, found }: Search, order: Uint32Array, places: Places, cells: number): void {
    const count = seenIn(this.#cells, this.#ownCell(cell, order));
    const { median, quantiles } = places.answersOf(count, rank => valueOfCode(this.#type, found[ranks.indexOf(rank)]!));
    if (this.#options.wanted.median) this.median[cell] = median;
    for (const [i, value] of quantiles.entries()) setValue(this.quantiles!, i * cells + cell, value);
  }

  /** The codes of all groups in their order, in shared memory. */
  *#known(order: Uint32Array): Generator<Pass, BigUint64Array, void> {
    const { table } = this.#cells.store;
    const { words, keys } = table;
    const known = new BigUint64Array(new SharedArrayBuffer(4 * words * order.length));
    const into = new Uint32Array(known.buffer);
    for (const [i, ordinal] of order.entries()) {
      for (let word = 0; word < words; word++) into[i * words + word] = keys[ordinal * words + word]!;
      if ((i + 1) % 65_536 === 0) yield this.#turn;
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
