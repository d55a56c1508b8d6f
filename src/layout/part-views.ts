/**
 * An array whose rows lie in several files. As a whole it is a C-order array without gaps, at byte 0 of bytes that are
 * nowhere: all that is chosen, cut into pieces or planned is a view of these. Here such views become those of the files.
 * Example: parts of 3 and 2 rows of `<f8` [4] are 160 bytes; row 4 stands at 128, which is row 1 of the second file.
 */
import { gather, type ByteSource } from './gather.js';
import { lowerBound } from '../lower-bound.js';
import { isListed, listedPlaces, placesIn, runBytesIn } from './places.js';
import { isContiguous, packedView, sizeOf, stridesOf, type Order, type View } from './view.js';

/** What all parts have in common. */
export interface Rows {
  readonly itemsize: number;
  /** Of one row. */
  readonly rowShape: readonly number[];
}

/** Where the rows of a part stand: in the whole, and in its file. */
export interface PartPlace {
  readonly start: number;
  readonly rows: number;
  readonly order: Order;
  readonly offset: number;
}

export function rowBytesOf({ itemsize, rowShape }: Rows): number {
  return sizeOf(rowShape) * itemsize;
}

export function partView({ itemsize, rowShape }: Rows, { rows, order, offset }: PartPlace): View {
  return packedView([rows, ...rowShape], itemsize, order, offset);
}

/** The number of the part that has a byte of the whole; parts without rows have none. */
export function partAt(parts: readonly PartPlace[], position: number): number {
  return lowerBound(parts.length, i => parts[i]!.start > position) - 1;
}

/** Reads bytes `[from, from + into.byteLength)` of a part, counted from its first in the whole. */
export function readPart(source: ByteSource, all: Rows, part: PartPlace, from: number, into: Uint8Array): void {
  const view = partView(all, part);
  const { itemsize } = all;
  if (isContiguous(view, itemsize)) {
    source.read(part.offset + from, into);
    return;
  }
  const first = Math.floor(from / itemsize);
  const end = Math.ceil((from + into.byteLength) / itemsize);
  if (first * itemsize === from && (end - first) * itemsize === into.byteLength) {
    gatherElements(source, view, itemsize, first, end, into);
    return;
  }
  const whole = new Uint8Array((end - first) * itemsize);
  gatherElements(source, view, itemsize, first, end, whole);
  into.set(whole.subarray(from - first * itemsize).subarray(0, into.byteLength));
}

/** Elements `[first, end)` of a view, counted in C order. */
function gatherElements(
  source: ByteSource,
  view: View,
  itemsize: number,
  first: number,
  end: number,
  into: Uint8Array,
): void {
  for (const box of boxesOf(view, first, end))
    gather(source, box.view, itemsize, into.subarray((box.at - first) * itemsize));
}

/** A box of elements that follow each other in C order: `count` of them, from element `at` on. */
export interface Box {
  readonly view: View;
  readonly at: number;
  readonly count: number;
}

/** Elements `[first, end)` of a view, counted in C order, as few boxes as there are: at most two for each axis. */
export function* boxesOf({ shape, strides, offset }: View, first: number, end: number): Generator<Box, void> {
  const inner = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  for (let at = first; at < end;) {
    let axis = 0;
    while (axis < shape.length - 1 && (at % inner[axis]! !== 0 || inner[axis]! > end - at)) axis++;
    let place = offset;
    let index = 0;
    for (let each = 0, rest = at; each <= axis; each++) {
      index = Math.floor(rest / inner[each]!);
      rest -= index * inner[each]!;
      place += index * strides[each]!;
    }
    const steps = Math.min(Math.floor((end - at) / inner[axis]!), shape[axis]! - index);
    const view = { shape: [steps, ...shape.slice(axis + 1)], strides: strides.slice(axis), offset: place };
    const count = steps * inner[axis]!;
    yield { view, at, count };
    at += count;
  }
}

/** A piece of a view that lies in one part. */
export interface Piece {
  readonly part: number;
  /** In the whole. */
  readonly view: View;
  /** The same elements of the view that was cut: of these the one axis that steps over rows is cut, as here. */
  readonly cut: { readonly axis: number; readonly start: number; readonly length: number } | undefined;
}

/** Cuts a view that only steps, whose axes were not merged, at the ends of parts, in the order of its elements. */
export function* piecesByPart(view: View, rowBytes: number, parts: readonly PartPlace[]): Generator<Piece, void> {
  if (view.shape.includes(0)) return;
  const axis = view.shape.findIndex((length, i) => length > 1 && Math.abs(view.strides[i]!) >= rowBytes);
  if (axis < 0) {
    yield { part: partAt(parts, view.offset), view, cut: undefined };
    return;
  }
  const length = view.shape[axis]!;
  const stride = view.strides[axis]!;
  for (let start = 0; start < length;) {
    const offset = view.offset + start * stride;
    const part = partAt(parts, offset);
    const place = parts[part]!;
    // Steps until the first byte is in another part.
    const room = stride > 0 ? place.start + place.rows * rowBytes - 1 - offset : offset - place.start;
    const steps = Math.min(length - start, Math.floor(room / Math.abs(stride)) + 1);
    yield {
      part,
      view: { shape: view.shape.with(axis, steps), strides: view.strides, offset },
      cut: { axis, start, length: steps },
    };
    start += steps;
  }
}

/** A view of the whole that lies in one part, in its file. Its axes were not merged. */
export function inPart(all: Rows, part: PartPlace, view: View): View {
  const own = partView(all, part);
  if (isContiguous(own, all.itemsize)) return { ...view, offset: view.offset - part.start + part.offset };
  const from = stridesOf(own.shape, all.itemsize, 'C');
  const strides = view.strides.map(stride => Math.sign(stride) * movedStride(Math.abs(stride), from, own.strides));
  return { shape: view.shape, strides, offset: movedPlace(view.offset - part.start, from, own) };
}

/** Steps along an axis are as many along the same one; those inside an element stay. */
function movedStride(stride: number, from: readonly number[], to: readonly number[]): number {
  const axis = from.findIndex(each => each <= stride);
  return axis < 0 ? stride : (stride / from[axis]!) * to[axis]!;
}

function movedPlace(place: number, from: readonly number[], { strides, offset }: View): number {
  let moved = offset;
  let rest = place;
  for (const [axis, stride] of from.entries()) {
    const index = Math.floor(rest / stride);
    rest -= index * stride;
    moved += index * strides[axis]!;
  }
  return moved + rest;
}

/** Runs of single places that lie in one part. */
export interface ListedPiece {
  readonly part: number;
  /** In the whole. */
  readonly view: View;
  /** In the file: the runs one after the other; not ascending where the file has another order. */
  readonly places: Float64Array;
  /** Bytes of a run in the file. */
  readonly runBytes: number;
  /** The run of the whole that is the first here. */
  readonly first: number;
}

/** The same of places one by one (places.ts), in turns. */
export function* listedByPart(all: Rows, view: View, parts: readonly PartPlace[]): Generator<ListedPiece | void, void> {
  if (!isListed(view)) throw new Error('only listed places are cut here');
  const places = placesIn(view);
  const runBytes = runBytesIn(view);
  for (let first = 0; first < places.length;) {
    const part = partAt(parts, places[first]!);
    const place = parts[part]!;
    const end = place.start + place.rows * rowBytesOf(all);
    let next = first + 1;
    while (next < places.length && places[next]! < end) next++;
    const own = partView(all, place);
    const isPlain = isContiguous(own, all.itemsize);
    const unit = isPlain ? runBytes : Math.min(runBytes, all.itemsize);
    const perRun = runBytes / unit;
    const moved = new Float64Array(new SharedArrayBuffer(8 * (next - first) * perRun));
    const from = stridesOf(own.shape, all.itemsize, 'C');
    for (let i = first, at = 0; i < next; i++) {
      for (let k = 0; k < perRun; k++) {
        const at0 = places[i]! - place.start + k * unit;
        moved[at++] = isPlain ? at0 + place.offset : movedPlace(at0, from, own);
      }
      if ((i - first) % RUNS_PER_TURN === RUNS_PER_TURN - 1) yield;
    }
    const whole = new Float64Array(new SharedArrayBuffer(8 * (next - first)));
    whole.set(places.subarray(first, next));
    yield { part, view: listedPlaces(whole, runBytes), places: moved, runBytes: unit, first };
    first = next;
  }
}

const RUNS_PER_TURN = 4096;
