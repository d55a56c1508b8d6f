/** Views with lists: gathered whole, in parts and in pieces, against nested loops over index tuples. */
import { randomBytes } from 'node:crypto';
import t from 'tap';
import { gather, gatherParts, type ByteSource } from '../../src/layout/gather.js';
import { runsOf } from '../../src/layout/listed.js';
import { PieceCursor } from '../../src/layout/pieces.js';
import { ascendingOrder } from '../../src/layout/sorted.js';
import { coalesce, extentOf, sizeOf, type OffsetList, type View } from '../../src/layout/view.js';
import { seededRandom, type Random } from '../helpers/random.js';

const FILE_BYTES = 4096;

t.test('1,000 random views with lists gather what the model gathers', async t => {
  const faults: string[] = [];
  const random = seededRandom(11);
  const file = randomBytes(FILE_BYTES);
  for (let i = 0; i < 1000; i++) {
    const itemsize = random.pick([1, 2, 3, 4, 8, 12]);
    const view = randomListed(random, itemsize);
    const wanted = modelBytes(file, view, itemsize);
    const found = {
      whole: gathered(file, view, itemsize),
      coalesced: gathered(file, coalesce(view), itemsize),
      parts: gatheredInParts(file, view, itemsize),
      pieces: gatheredInPieces(random, file, view, itemsize),
    };
    for (const [way, bytes] of Object.entries(found)) {
      if (!wanted.equals(bytes)) faults.push(`case ${i}, ${way}: ${JSON.stringify({ view, itemsize })}`);
    }
    const { start, end } = extentOf(view, itemsize);
    const places = modelPlaces(view);
    if (places.some(place => place < start || place + itemsize > end)) faults.push(`case ${i}: outside its extent`);
  }
  t.strictSame(faults.slice(0, 5), [], 'all equal');
});

t.test('rows of a list are runs of whole rows, read in the order of the file', async t => {
  const rows = listOf([900, 20, 340, 20].map(row => row * 80));
  const view = { shape: [4, 10], strides: [0, 8], offset: 128, lists: [{ ...rows, strides: [1, 0] }] };
  t.strictSame(runsOf(view, 8), { places: Float64Array.of(72128, 1728, 27328, 1728), runBytes: 80 });
  const asked: number[][] = [];
  const source: ByteSource = {
    span(start, length) {
      asked.push([start, length]);
      return new Uint8Array(length);
    },
    read: (start, into) => asked.push([start, into.byteLength]),
  };
  gather(source, view, 8, new Uint8Array(320));
  t.strictSame(asked, [[1728, 70480]], 'one span, since they are near');
  asked.length = 0;
  const far = listOf([9e6, 0, 5e6]);
  gather(source, { ...view, shape: [3, 10], lists: [{ ...far, strides: [1, 0] }] }, 8, new Uint8Array(240));
  t.strictSame(
    asked,
    [
      [128, 80],
      [5000128, 80],
      [9000128, 80],
    ],
    'one run after the other, ascending',
  );
});

t.test('places are put in order, equal ones in theirs', async t => {
  const random = seededRandom(5);
  for (const n of [0, 1, 2, 50, 3000]) {
    for (const span of [1, 7, 70_000, 2 ** 40, 2 ** 52]) {
      const places = Float64Array.from({ length: n }, () => random.below(span));
      const order = ascendingOrder(places) ?? Uint32Array.from(places, (_, i) => i);
      const wanted = [...places.keys()].sort((a, b) => places[a]! - places[b]! || a - b);
      t.strictSame([...order], wanted, `${n} places over ${span} bytes`);
    }
  }
});

function listOf(offsets: readonly number[]): Omit<OffsetList, 'strides'> {
  const shared = new Float64Array(new SharedArrayBuffer(8 * offsets.length));
  shared.set(offsets);
  return { offsets: shared, start: 0, min: Math.min(...offsets), max: Math.max(...offsets) };
}

/** A view inside FILE_BYTES of which some axes step and others choose. */
function randomListed(random: Random, itemsize: number): View {
  const rank = random.integer(0, 4);
  const shape = Array.from({ length: rank }, () => random.integer(random.next() < 0.05 ? 0 : 1, 5));
  const strides = shape.map((_, axis) =>
    axis === rank - 1 && random.next() < 0.5 ? itemsize : random.integer(-20, 20),
  );
  const lists = Array.from({ length: random.integer(1, 2) }, () => {
    const own = shape.map(() => random.pick([0, 0, 1, 2, -1]));
    const start = own.reduce((sum, stride) => sum + Math.max(0, -stride) * 4, 0);
    const length = start + 1 + own.reduce((sum, stride) => sum + Math.max(0, stride) * 4, 0);
    return { ...listOf(Array.from({ length }, () => random.integer(0, 1000))), strides: own, start };
  });
  return { shape, strides, offset: 500, lists };
}

function modelPlaces({ shape, strides, offset, lists = [] }: View): number[] {
  let tuples: number[][] = [[]];
  for (const length of shape) tuples = tuples.flatMap(tuple => Array.from({ length }, (_, i) => [...tuple, i]));
  return tuples.map(tuple => {
    let place = offset;
    for (const [axis, i] of tuple.entries()) place += i * strides[axis]!;
    for (const list of lists) {
      let entry = list.start;
      for (const [axis, i] of tuple.entries()) entry += i * list.strides[axis]!;
      place += list.offsets[entry]!;
    }
    return place;
  });
}

function modelBytes(file: Uint8Array, view: View, itemsize: number): Buffer {
  return Buffer.concat(modelPlaces(view).map(place => file.subarray(place, place + itemsize)));
}

function sourceOf(file: Uint8Array): ByteSource {
  return {
    span: (start, length) => file.subarray(start, start + length),
    read: (start, into) => into.set(file.subarray(start, start + into.byteLength)),
  };
}

function gathered(file: Uint8Array, view: View, itemsize: number): Uint8Array {
  const out = new Uint8Array(sizeOf(view.shape) * itemsize);
  gather(sourceOf(file), view, itemsize, out);
  return out;
}

/** As several tasks do it: each goes on where the last one ended. */
function gatheredInParts(file: Uint8Array, view: View, itemsize: number): Uint8Array {
  const out = new Uint8Array(sizeOf(view.shape) * itemsize);
  for (let done = 0, isOver = false; !isOver; done++) {
    isOver = gatherParts(sourceOf(file), view, itemsize, out, 64, done).next().done === true;
  }
  return out;
}

function gatheredInPieces(random: Random, file: Uint8Array, view: View, itemsize: number): Uint8Array {
  const cursor = new PieceCursor(view, itemsize);
  const pieces: Uint8Array[] = [];
  for (let piece = cursor.next(random.integer(1, 100)); piece; piece = cursor.next(random.integer(1, 100))) {
    pieces.push(gathered(file, piece, itemsize));
  }
  return Buffer.concat(pieces);
}
