/**
 * The reduce sink: each tile goes through the kernels that the wanted fields need, while it is in the cache.
 * Memory in the engine: 128 bytes per cell of the chunk for what kernels know of it, 32 for their work; and the partial.
 */
import { boxAt, type Axis, type Box } from '../../scan/box.js';
import { CellMemory, ElementCells } from './cells.js';
import type { Engine } from '../../kernels/engine.js';
import { RUN_WORKSPACE_BYTES, WORKSPACE_BYTES, type CellField } from '../../kernels/cell-fields.js';
import { WANTS_MAX, WANTS_MIN, WANTS_NAN } from '../../kernels/constants.js';
import { NATIVE_BYTES, NATIVE_TYPES, nativeTypeOf, type NativeType } from '../../kernels/native-types.js';
import type { Lines } from '../../kernels/lines.js';
import type { Tile } from '../../scan/tiles.js';
import type { ChunkTask } from '../../scan/scan.js';
import { withoutBlocks } from '../../scan/whole-blocks.js';
import type { PartialOf, SpecOf } from '../specs.js';
import type { PartialBuffer, Sink } from '../pass.js';
import { type AccumulatorName, fieldsOf, hasFastKernels } from './index.js';

/** Which kernels a spec needs. */
interface Wants {
  readonly sums: boolean;
  readonly moments: boolean;
  readonly extremes: boolean;
  /** Instead of extremes: a sum of WANTS_MIN, WANTS_MAX and WANTS_NAN, or 0. */
  readonly positions: number;
  readonly zeros: boolean;
  readonly omits: boolean;
}

export class ReduceSink implements Sink {
  readonly #engine: Engine;
  readonly #chunk: ChunkTask;
  readonly #spec: SpecOf<'reduce'>;
  readonly #wants: Wants;
  readonly #cells: CellMemory;
  readonly #elements: ElementCells;
  readonly #workspace: number;
  /** Cells are blocks, and nothing is asked that kernels for short runs do not know. */
  readonly #hasBlocks: boolean;
  /** Elements of each cell, where some rows of a chunk are not used. */
  readonly #counts: Float64Array<ArrayBuffer> | undefined;

  constructor(engine: Engine, spec: SpecOf<'reduce'>, chunk: ChunkTask) {
    this.#engine = engine;
    this.#chunk = chunk;
    this.#spec = spec;
    this.#wants = wantsOf(spec);
    const type = nativeTypeOf(chunk.dtype);
    this.#cells = new CellMemory(engine, type, chunk.cellCount, usedFields(this.#wants), 'columns');
    this.#cells.begin(0, chunk.cellCount);
    this.#elements = new ElementCells(engine, chunk.dtype, spec.accumulators, chunk.cellCount);
    this.#elements.begin(0, chunk.cellCount);
    const { moments, positions, zeros } = this.#wants;
    const hasBlocks = chunk.box.axes.some(({ blocks }) => blocks !== undefined);
    this.#hasBlocks =
      hasBlocks && !moments && positions === 0 && !zeros && spec.accumulators.every(name => hasFastKernels(name));
    const workspaceBytes = this.#hasBlocks ? RUN_WORKSPACE_BYTES : WORKSPACE_BYTES;
    this.#workspace = engine.scratch.alloc(workspaceBytes * chunk.cellCount, 16);
    if (chunk.rows) this.#counts = new Float64Array(chunk.cellCount);
  }

  add({ type, ptr, box }: Tile): void {
    if (this.#counts) countInto(this.#counts, box);
    for (const part of withoutBlocks(box)) this.#addPart(type, ptr, part);
  }

  #addPart(type: NativeType, ptr: number, box: Box): void {
    if (this.#areShort(type, box)) {
      for (const piece of piecesOf(box, true)) this.#addShortRuns(type, ptr, piece);
      return;
    }
    for (const piece of piecesOf(box)) {
      if (piece.isRows) this.#addRows(type, ptr, piece);
      else this.#addRuns(type, ptr, piece);
      const { at, blocks, outer, inner } = piece;
      this.#elements.addAxes(ptr, at, [blocks, outer, inner], this.#wants.omits);
    }
  }

  partial(buffer: PartialBuffer): PartialOf<'reduce'> {
    const { cellStart, cellCount, elements } = this.#chunk;
    const { accumulators, countsNan } = this.#spec;
    // Each cell has the same share of every used row.
    const cellSize = this.#counts ? (this.#counts[0] ?? 0) : elements / cellCount;
    const { extremes, positions, moments } = this.#wants;
    const counted = extremes || positions > 0 ? 'seen' : moments ? 'count' : 'sumCount';
    const names = Object.keys(fieldsOf(accumulators.filter(hasFastKernels), this.#chunk.dtype));
    const take = (length: number): Float64Array => buffer.f64(length);
    const fields = { ...this.#cells.read(names, counted, cellCount, take), ...this.#elements.read(cellCount, take) };
    if (!countsNan && this.#counts) fields.count?.set(this.#counts);
    else if (!countsNan) fields.count?.fill(cellSize);
    return { cellStart, cellCount, cellSize, fields };
  }

  /** Runs so short that many rows of them are taken together, by kernels of their own. */
  #areShort(type: NativeType, { axes }: Box): boolean {
    const { sums, extremes } = this.#wants;
    const [outer, inner] = axes.slice(-2);
    if (!this.#hasBlocks || !inner || inner.kept || !outer!.kept) return false;
    const rows = axes.at(-3);
    const isHigh = rows?.kept === false && rows.length >= HIGH_BLOCK_ROWS;
    if (inner.length > (isHigh ? HIGH_RUN_ELEMENTS : SHORT_RUN_ELEMENTS)) return false;
    return (!sums || type === 'f32') && (!extremes || inner.length * NATIVE_BYTES[type] >= SHORT_RUN_BYTES_MIN);
  }

  #addShortRuns(type: NativeType, ptr: number, piece: Piece): void {
    const { sums, extremes } = this.#wants;
    const { kernels } = this.#engine;
    const { blocks, outer } = piece;
    const over = this.#tell(type, ptr, piece, {
      blocks: blocks.length,
      blockStep: blocks.stride * NATIVE_BYTES[type],
      cellStep: 8 * outer.cellStep,
      workspace: this.#workspace,
    });
    if (sums) kernels.sumBlocks(over);
    if (extremes) kernels.extremesBlocks(over);
  }

  #addRuns(type: NativeType, ptr: number, piece: Piece): void {
    const { sums, moments, extremes, positions, zeros } = this.#wants;
    const { kernels } = this.#engine;
    // Extremes cost least beside moments, and the sums of float32 follow from them.
    const isFused = moments && extremes && type.startsWith('f');
    const isDerived = moments && type === 'f32';
    const { outer, inner } = piece;
    const over = this.#tell(type, ptr, piece, {
      cellStep: 8 * outer.cellStep,
      extremes: isFused,
      sums: sums && isDerived,
      indexStep: inner.indexStep,
      outerIndexStep: outer.indexStep,
    });
    if (sums && !isDerived) kernels.sumRuns(over);
    if (moments) kernels.momentsRuns(over);
    if (extremes && !isFused) kernels.extremesRuns(over);
    if (positions > 0) kernels.argsRuns(over);
    if (zeros) kernels.zerosRuns(over);
  }

  #addRows(type: NativeType, ptr: number, piece: Piece): void {
    const { sums, moments, extremes, positions, zeros } = this.#wants;
    const { kernels } = this.#engine;
    const isDerived = moments && type === 'f32';
    const { blocks, outer } = piece;
    const over = this.#tell(type, ptr, piece, {
      blocks: blocks.length,
      blockStep: blocks.stride * NATIVE_BYTES[type],
      cellStep: 8 * blocks.cellStep,
      workspace: this.#workspace,
      sums: sums && isDerived,
      indexStep: outer.indexStep,
      outerIndexStep: blocks.indexStep,
    });
    if (sums && !isDerived) kernels.sumRows(over);
    if (moments) kernels.momentsRows(over);
    if (extremes) kernels.extremesRows(over);
    if (positions > 0) kernels.argsRows(over);
    if (zeros) kernels.zerosRows(over);
  }

  /** Tells the kernels of a piece; answers the address that they are given. */
  #tell(type: NativeType, ptr: number, { at, outer, inner }: Piece, more: MoreOfLines): number {
    const itemsize = NATIVE_BYTES[type];
    return this.#engine.lines.write({
      type: NATIVE_TYPES.indexOf(type),
      ptr: ptr + at.offset * itemsize,
      step: outer.stride * itemsize,
      count: outer.length,
      length: inner.length,
      cells: this.#cells.at('sum') + 8 * at.cell,
      fieldBytes: this.#cells.fieldBytes,
      omits: this.#wants.omits,
      wants: this.#wants.positions,
      index: at.index,
      ...more,
    });
  }
}

type MoreOfLines = Omit<Lines, 'type' | 'ptr' | 'step' | 'count' | 'length' | 'cells' | 'fieldBytes'>;

/** What the partial of a chunk takes of a buffer. */
export function partialBytes({ accumulators }: SpecOf<'reduce'>, { cellCount, dtype }: ChunkTask): number {
  return 8 * Object.keys(fieldsOf(accumulators, dtype)).length * cellCount;
}

function wantsOf({ accumulators, countsNan, omitsNan }: SpecOf<'reduce'>): Wants {
  const has = (name: AccumulatorName): boolean => accumulators.includes(name);
  const positions =
    (has('argmin') ? WANTS_MIN : 0) + (has('argmax') ? WANTS_MAX : 0) + (has('nanIndex') ? WANTS_NAN : 0);
  const sums = has('sum');
  const moments = has('moments');
  // Something has to count what is not NaN.
  const counts = countsNan && !(omitsNan && (sums || moments));
  const extremes = positions === 0 && (has('min') || has('max') || counts);
  return { sums, moments, extremes, positions, zeros: has('zeros'), omits: omitsNan };
}

/** Adds what a tile has of each cell. */
function countInto(counts: Float64Array, { axes, cell }: Box): void {
  const elements = axes.reduce((product, { kept, length }) => (kept ? product : product * length), 1);
  const kept = axes.filter(axis => axis.kept);
  const walk = (axis: number, at: number): void => {
    if (axis === kept.length) counts[at]! += elements;
    else for (let i = 0; i < kept[axis]!.length; i++) walk(axis + 1, at + i * kept[axis]!.cellStep);
  };
  walk(0, cell);
}

/** What the kernels will add to. */
function usedFields({ sums, moments, extremes, positions, zeros }: Wants): CellField[] {
  return [
    ...(sums ? (['sum', 'sumRest', 'sumCount'] as const) : []),
    ...(moments ? (['count', 'mean', 'meanRest', 'm2'] as const) : []),
    ...(extremes || positions > 0 ? (['seen', 'min', 'max'] as const) : []),
    ...(positions > 0 ? (['argmin', 'argmax', 'nanIndex'] as const) : []),
    ...(zeros ? (['zeros'] as const) : []),
  ];
}

/** Longer runs are taken one by one: their lanes are joined once for many elements. */
const SHORT_RUN_ELEMENTS = 96;
/** Where there are so many rows of them, those kernels read four rows at once, and runs may be this long. */
const HIGH_BLOCK_ROWS = 4;
const HIGH_RUN_ELEMENTS = 2048;
/** A vector: extremes of shorter runs are not looked for together. */
const SHORT_RUN_BYTES_MIN = 16;

/** What one call of a kernel can take: runs of `inner`, or blocks of rows of `inner`. */
interface Piece {
  readonly at: Box;
  readonly isRows: boolean;
  readonly blocks: Axis;
  readonly outer: Axis;
  readonly inner: Axis;
}

const ONE: Axis = { length: 1, stride: 0, kept: false, cellStep: 0, indexStep: 0 };

/**
 * Takes the innermost axes of a tile together and scans the others. Rows are reduced over an axis outside a kept one;
 * `joinsRuns`: so are runs, by one outside of theirs.
 */
function* piecesOf(box: Box, joinsRuns = false): Generator<Piece, void> {
  const axes = [...box.axes];
  const inner = axes.pop() ?? ONE;
  const isRows = inner.kept;
  const outer = isRows && axes.at(-1)?.kept ? ONE : (axes.pop() ?? ONE);
  const isJoined = isRows || (joinsRuns && axes.at(-1)?.kept === false);
  const blocks = isJoined ? (axes.pop() ?? ONE) : ONE;
  const boxes = axes.reduce((count, axis) => count * axis.length, 1);
  const grid = { lengths: axes.map(() => 1), boxes, phase: 0 };
  for (let number = 0; number < boxes; number++) {
    yield { at: boxAt({ ...box, axes }, grid, number), isRows, blocks, outer, inner };
  }
}
