/**
 * One axis of a box, and axes whose neighbouring elements share cells: an axis of 10 elements in blocks of 4 has three
 * cells, of 4, 4 and 2 elements. Where it runs backwards in memory, the short block comes first: its `phase` is then 2.
 */

export interface Axis {
  readonly length: number;
  /** From one element to the next: bytes of a file, or elements of a packed tile. */
  readonly stride: number;
  /** True where the axis remains in the answer, false where it is reduced. */
  readonly kept: boolean;
  /** Cells from one element to the next, or from one block; 0 on reduced axes. */
  readonly cellStep: number;
  /** Of a kept axis: neighbours share a cell. */
  readonly blocks?: Blocks;
  /** What a step adds to the index that argmin and argmax answer with; may be negative; 0 on kept axes without blocks and when nobody asks. */
  readonly indexStep: number;
  /** Of the axis of rows that are chosen one by one, which stays by itself. */
  readonly rows?: RowsAxis;
  /** Never cut, however far apart its elements stand: chunks and tiles have all of it. */
  readonly isWhole?: true;
}

export interface RowsAxis {
  /** Number of the first row. */
  readonly first: number;
  /** Pieces begin at multiples of so many rows. */
  readonly multiple: number;
}

export interface Blocks {
  /** Elements of a block; the first and the last of an axis may have fewer. */
  readonly length: number;
  /** What the first block lacks in front. */
  readonly phase: number;
}

/** An axis that the answer has. */
export interface CellAxis {
  /** Cells along it. */
  readonly length: number;
  readonly step: number;
  /** Where cells are blocks of so many elements: what the first lacks in front, and the elements of the axis. */
  readonly blocks?: Blocks & { readonly elements: number };
}

/** How many blocks along each axis: shape [10, 7] by [4, 2] is [3, 4]. */
export function coarsenedShape(shape: readonly number[], factors: readonly number[]): number[] {
  return shape.map((length, axis) => Math.ceil(length / factors[axis]!));
}

/** Cells along an axis. */
export function cellsAlong({ length, kept, blocks }: Pick<Axis, 'length' | 'kept' | 'blocks'>): number {
  if (!kept) return 1;
  return blocks ? Math.ceil((blocks.phase + length) / blocks.length) : length;
}

/**
 * How an axis in blocks is cut into pieces of at most `limit` elements and `blocksMax` blocks: some whole blocks each, or
 * a part of one block.
 */
export function lengthOfPiece(axis: Axis, limit: number, blocksMax: number): number {
  const { length } = axis.blocks!;
  const most = Math.floor(Math.min(limit / length, blocksMax));
  if (most < 1) return Math.max(1, Math.floor(limit));
  // Evenly, as other axes are cut.
  const all = cellsAlong(axis);
  return length * Math.ceil(all / Math.ceil(all / most));
}

/** Pieces of an axis in blocks. */
export function piecesAlong({ length, blocks }: Axis, piece: number): number {
  return pieceOf(blocks!, piece, length - 1) - pieceOf(blocks!, piece, 0) + 1;
}

/** Where such a piece begins, and where it ends. */
export function spanOfPiece({ length, blocks }: Axis, piece: number, number: number): { start: number; end: number } {
  const { length: block, phase } = blocks!;
  const at = number + pieceOf(blocks!, piece, 0);
  if (piece >= block) {
    const start = at * piece - phase;
    return { start: Math.max(0, start), end: Math.min(start + piece, length) };
  }
  const perBlock = Math.ceil(block / piece);
  const from = Math.floor(at / perBlock) * block;
  const start = from + (at % perBlock) * piece - phase;
  return { start: Math.max(0, start), end: Math.min(start + piece, from + block - phase, length) };
}

/** Which piece an element lies in, counted from the first block as if it were whole. */
function pieceOf({ length, phase }: Blocks, piece: number, element: number): number {
  const at = phase + element;
  if (piece >= length) return Math.floor(at / piece);
  return Math.floor(at / length) * Math.ceil(length / piece) + Math.floor((at % length) / piece);
}

/** A stretch of an axis in blocks, and how many cells lie before it. One block alone is an axis that is reduced. */
export function stretchOf(axis: Axis, start: number, end: number): { axis: Axis; cells: number } {
  const { length: block, phase } = axis.blocks!;
  const cells = Math.floor((phase + start) / block);
  const rest = phase + start - cells * block;
  const length = end - start;
  if (rest + length > block) return { axis: { ...axis, length, blocks: { length: block, phase: rest } }, cells };
  const { blocks: _, ...whole } = axis;
  return { axis: { ...whole, length, kept: false, cellStep: 0 }, cells };
}

/**
 * Elements of a cell along the axes that are in blocks: the first and the last block may have fewer. Asked for cells in
 * their order, it looks at the innermost axis alone.
 */
export function blockSizes(axes: readonly CellAxis[]): (cell: number) => number {
  const inner = axes.at(-1);
  if (!inner) return () => 1;
  const outer = blockSizes(axes.slice(0, -1));
  let known = -1;
  let size = 0;
  return cell => {
    const at = cell % inner.length;
    const above = (cell - at) / inner.length;
    if (above !== known) {
      known = above;
      size = outer(above);
    }
    return size * sizeAlong(inner, at);
  };
}

function sizeAlong({ blocks }: CellAxis, at: number): number {
  if (!blocks) return 1;
  const start = at * blocks.length - blocks.phase;
  return Math.min(start + blocks.length, blocks.elements) - Math.max(start, 0);
}
